// What the stand-in knows: bots, people, and the private chats between them.
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Changes, StoredMessage } from "./changes.ts";
import { FileFetcher } from "./file-fetch.ts";
import { Files } from "./files.ts";
import { Poller } from "./poller.ts";
import { UpdateQueue } from "./update-queue.ts";
import type { NewUpdate } from "./update-queue.ts";
import { Webhook } from "./webhook.ts";
import type { WebhookAttempt } from "./webhook-sender.ts";
import type { WireChat, WireUser } from "./wire.ts";

/** A bot: made by BotFather on the real service, by `addBot` here. */
export interface Bot {
  readonly id: number;
  readonly token: string;
  readonly name: string;
  readonly username: string;
  readonly addedAt: number;
  revoked: boolean;
  readonly queue: UpdateQueue;
  readonly poller: Poller;
  readonly webhook: Webhook;
}

/** A person with a Telegram account. */
export interface Person {
  id: number;
  firstName: string;
  lastName?: string | undefined;
  username?: string | undefined;
  languageCode?: string | undefined;
}

/** A chat of one bot: with one person, once they have pressed Start; a group; a channel; or one person's with a business account. */
export interface Chat {
  readonly bot: Bot;
  /** A group or channel stands here with its own id and its title as name. */
  readonly person: Person;
  readonly kind: WireChat["type"];
  /** The names of a forum's topics by their ids; null where there are none. */
  readonly topics: Map<number, string> | null;
  /** The business connection by which the bot takes part; null in its own chats. */
  readonly businessId: string | null;
  blocked: boolean;
  nextMessageId: number;
  readonly messages: Map<number, StoredMessage>;
}

/** What `addBot` takes; what is missing is invented. */
export interface NewBot {
  token?: string | undefined;
  username?: string | undefined;
  name?: string | undefined;
}

/** A group or channel. */
export interface NewPlace {
  kind: "supergroup" | "channel";
  title: string;
  /** Public ones have a name. */
  username?: string | undefined;
  /** Whether messages stand in topics. */
  isForum?: boolean | undefined;
}

/** What the state needs from the server around it. */
export interface StateHost {
  clock: Clock;
  firstUpdateId: number;
  firstMessageId: number;
  changes: Changes;
  webhookAttempted: (bot: Bot, attempt: WebhookAttempt) => void;
  execute: (bot: Bot, method: string, parameters: Record<string, unknown>) => void;
}

const FIRST_PLACE_ID = -1_001_000_000_000;
const FIRST_BOT_ID = 7_100_200_300;

/** All of it, in memory: a stand-in lives as long as its test or its sandbox. */
export class TelegramState {
  readonly bots = new Map<number, Bot>();
  readonly people = new Map<number, Person>();
  /** Business accounts by the id of their connection with a bot. */
  readonly businesses = new Map<string, { readonly bot: Bot; readonly owner: Person }>();
  readonly files: Files;
  readonly fetcher: FileFetcher;
  readonly #chats = new Map<string, Chat>();
  readonly #byToken = new Map<string, Bot>();
  readonly #host: StateHost;
  #nextBotId = FIRST_BOT_ID;

  constructor(host: StateHost) {
    this.#host = host;
    this.files = new Files(host.clock);
    this.fetcher = new FileFetcher(host.clock);
  }

  get clock(): Clock {
    return this.#host.clock;
  }

  get changes(): Changes {
    return this.#host.changes;
  }

  /** Adds a bot. Throws when the token is malformed or its id is taken. */
  addBot(wanted: NewBot): Bot {
    const token = wanted.token ?? `${this.#freeBotId()}:${randomBytes(26).toString("base64url")}`;
    const id = botIdOf(token);
    if (id === null)
      throw new Error("A bot token is <digits>:<secret>, at most 80 characters, without '/'.");
    if (this.bots.has(id)) throw new Error(`There is already a bot with the id ${id}.`);
    const bot = this.#makeBot(id, token, wanted);
    this.bots.set(id, bot);
    this.#byToken.set(token, bot);
    this.changes.emit({ type: "bot", botId: id });
    return bot;
  }

  /** The bot whose living token this is. */
  botByToken(token: string): Bot | null {
    const bot = this.#byToken.get(token);
    return bot && !bot.revoked ? bot : null;
  }

  bot(id: number): Bot {
    const bot = this.bots.get(id);
    if (!bot) throw new Error(`There is no bot with the id ${id}.`);
    return bot;
  }

  person(id: number): Person {
    const person = this.people.get(id);
    if (!person) throw new Error(`There is no person with the id ${id}; add them with addPerson.`);
    return person;
  }

  /** The chat, or null while the person has not pressed Start. */
  chat(botId: number, personId: number): Chat | null {
    return this.#chats.get(`${botId}/${personId}`) ?? null;
  }

  /** The chat, opened when it is not there yet. */
  openChat(botId: number, personId: number): Chat {
    return (
      this.chat(botId, personId) ??
      this.#addChat(`${botId}/${personId}`, {
        bot: this.bot(botId),
        person: this.person(personId),
      })
    );
  }

  /** A new group or channel that the bot is in. */
  openPlace(botId: number, place: NewPlace): Chat {
    const id = FIRST_PLACE_ID - this.#chats.size;
    const { title, username, kind, isForum } = place;
    return this.#addChat(`${botId}/${id}`, {
      bot: this.bot(botId),
      person: { id, firstName: title, username },
      kind,
      topics: isForum === true ? new Map() : null,
    });
  }

  /** The group or channel that is public under this name. */
  publicChat(botId: number, username: string): Chat | null {
    for (const chat of this.#chats.values())
      if (
        chat.bot.id === botId &&
        chat.kind !== "private" &&
        chat.person.username?.toLowerCase() === username.toLowerCase()
      )
        return chat;
    return null;
  }

  /** A customer's chat with a business account; null while the customer has not written. */
  businessChat(businessId: string, personId: number): Chat | null {
    return this.#chats.get(`${businessId}/${personId}`) ?? null;
  }

  /** The same, opened when it is not there yet. */
  openBusinessChat(businessId: string, personId: number): Chat {
    const business = this.businesses.get(businessId);
    if (business === undefined) throw new Error(`There is no business connection ${businessId}.`);
    const { bot } = business;
    const person = this.person(personId);
    return (
      this.businessChat(businessId, personId) ??
      this.#addChat(`${businessId}/${personId}`, { bot, person, businessId })
    );
  }

  /** All chats of a business account that the bot takes part in. */
  businessChats(businessId: string): Chat[] {
    return [...this.#chats.values()].filter((chat) => chat.businessId === businessId);
  }

  #addChat(key: string, of: Pick<Chat, "bot" | "person"> & Partial<Chat>): Chat {
    const chat: Chat = {
      kind: "private",
      topics: null,
      businessId: null,
      blocked: false,
      nextMessageId: this.#host.firstMessageId,
      messages: new Map(),
      ...of,
    };
    this.#chats.set(key, chat);
    return chat;
  }

  /** Queues an update for the bot and tells its poller or webhook. */
  pushUpdate(bot: Bot, update: NewUpdate): number | null {
    const queued = bot.queue.push(update);
    if (!queued) return null;
    if (bot.webhook.active) bot.webhook.deliver(queued);
    else bot.poller.wake();
    return queued.id;
  }

  #freeBotId(): number {
    while (this.bots.has(this.#nextBotId)) this.#nextBotId += 1;
    return this.#nextBotId;
  }

  #makeBot(id: number, token: string, wanted: NewBot): Bot {
    const { clock, firstUpdateId, webhookAttempted, execute } = this.#host;
    const queue = new UpdateQueue(clock, firstUpdateId);
    const poller = new Poller(queue, clock);
    const webhook = new Webhook({
      clock,
      queue,
      poller,
      attempted: (attempt) => webhookAttempted(bot, attempt),
      execute: (method, parameters) => execute(bot, method, parameters),
    });
    const username = wanted.username ?? `shop_${id}_bot`;
    const bot: Bot = {
      id,
      token,
      name: wanted.name ?? username,
      username,
      addedAt: clock.now(),
      revoked: false,
      queue,
      poller,
      webhook,
    };
    return bot;
  }
}

/** The bot's id in front of the colon; null when the real server would call the token invalid. */
export function botIdOf(token: string): number | null {
  if (token.startsWith("0") || token.length > 80 || token.includes("/")) return null;
  const id = Number(/^(\d+):./.exec(token)?.[1] ?? "0");
  return id > 0 && id < 2 ** 53 ? id : null;
}

export function botUser(bot: Bot): WireUser {
  return { id: bot.id, is_bot: true, first_name: bot.name, username: bot.username };
}

export function personUser(person: Person): WireUser {
  return {
    id: person.id,
    is_bot: false,
    ...names(person),
    ...(person.languageCode ? { language_code: person.languageCode } : {}),
  };
}

/** A chat as messages tell it. */
export function chatOf({
  person,
  kind,
  topics,
}: Pick<Chat, "person" | "kind" | "topics">): WireChat {
  if (kind === "private") return privateChat(person);
  return {
    id: person.id,
    title: person.firstName,
    ...(person.username ? { username: person.username } : {}),
    type: kind,
    ...(topics === null ? {} : { is_forum: true }),
  };
}

export function privateChat(person: Person): WireChat {
  return { id: person.id, ...names(person), type: "private" };
}

function names(person: Person): { first_name: string; last_name?: string; username?: string } {
  return {
    first_name: person.firstName,
    ...(person.lastName ? { last_name: person.lastName } : {}),
    ...(person.username ? { username: person.username } : {}),
  };
}
