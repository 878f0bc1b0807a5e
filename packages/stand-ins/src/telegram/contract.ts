// What the Telegram stand-in offers to tests and to the simulator.
import type { Clock } from "../clock.ts";
import type { StoredMessage, TelegramChange } from "./changes.ts";
import type { Faults } from "./faults.ts";
import type { StoredFile } from "./files.ts";
import type { BusinessMessage, ChannelPost, GroupMessage } from "./other-chats.ts";
import type { PersonAlbum, PersonCard, PersonInChat, PersonPlace } from "./people-content.ts";
import type { PersonActionResult, PersonFile, PersonMessage } from "./people-actions.ts";
import type { CallRecord } from "./record.ts";
import type { NewBot, Person } from "./state.ts";

/** How to start it. `port` 0 takes a free one; `log` gets one line per call, without tokens or texts. */
export interface TelegramStandInOptions {
  host?: string | undefined;
  port?: number | undefined;
  bots?: NewBot[] | undefined;
  people?: Person[] | undefined;
  /**
   * Where update and message ids begin. A server that outlives its own restarts in somebody's database (the sandbox)
   * needs a number that only grows, as ids of the real service never come back.
   */
  firstNumber?: number | undefined;
  log?: ((line: string) => void) | undefined;
  /** Who sends faster than the real service lets them is answered 429, until the clock has moved on. Off unless asked for. */
  floodControl?: boolean | undefined;
}

/** A bot as its owner sees it. */
export interface BotSummary {
  id: number;
  name: string;
  username: string;
  revoked: boolean;
}

/** A running server. Several run beside each other in one process and share nothing. */
export interface TelegramStandIn {
  /** Where it listens, without a slash at the end: the `apiRoot` of clients. */
  readonly url: string;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly record: CallRecord;
  /** Adds a bot and gives its token. */
  addBot(bot?: NewBot): BotSummary & { token: string };
  /** The token answers 401 from now on; an open getUpdates ends with it. */
  revokeToken(botId: number): void;
  bots(): BotSummary[];
  addPerson(person: Person): void;
  people(): Person[];
  /** The person pressed Start long ago: the bot may write to them and is told nothing. */
  openChat(who: { personId: number; botId: number }): void;
  /** The person writes; this also presses Start, and unblocks the bot. */
  personSays(said: PersonMessage): PersonActionResult;
  /** The person sends a file; otherwise as `personSays`. Gives the file's id too: of a photo, that of its largest size. */
  personSendsFile(sent: PersonFile): PersonActionResult & { fileId: string };
  personSendsPlace(sent: PersonPlace): PersonActionResult;
  personSendsCard(sent: PersonCard): PersonActionResult;
  /** Files sent together: one message each. */
  personSendsAlbum(sent: PersonAlbum): PersonActionResult[];
  /** What has no action of its own (a poll, a dice…), as Telegram writes it into a message. */
  personSendsOther(sent: PersonInChat & { content: Record<string, unknown> }): PersonActionResult;
  /** The person's reaction to a message of either side; null takes it back. Gives the update's id. */
  personReacts(reaction: PersonInChat & { messageId: number; emoji: string | null }): number | null;
  /** A person makes a group with the bot in it; gives the group's id. */
  addGroup(group: PersonInChat & { title: string; isForum?: boolean }): number;
  saysInGroup(said: GroupMessage): PersonActionResult;
  /** A person opens a topic in a forum; gives the topic's id. */
  opensTopic(topic: PersonInChat & { groupId: number; name: string }): number;
  /** A person makes a channel with the bot as its administrator; gives the channel's id. */
  addChannel(channel: PersonInChat & { title: string; username?: string }): number;
  postsInChannel(post: ChannelPost): PersonActionResult;
  editsInChannel(edit: ChannelPost & { messageId: number }): PersonActionResult;
  /** A business account lets the bot answer for it; gives the connection's id. */
  connectBusiness(connection: { botId: number; ownerId: number }): string;
  saysToBusiness(said: BusinessMessage): PersonActionResult;
  editsInBusiness(
    edit: Omit<BusinessMessage, "byOwner"> & { messageId: number },
  ): PersonActionResult;
  /** Takes messages back, all in one update, whose id it gives. */
  deletesInBusiness(deletion: {
    businessId: string;
    personId: number;
    messageIds: readonly number[];
  }): number | null;
  /** A customer's chat with a business account, oldest first. */
  messagesOfBusiness(businessId: string, personId: number): StoredMessage[];
  /** A file by its id, whichever bot it belongs to; null when it is unknown or was given up for newer ones. */
  file(fileId: string): StoredFile | null;
  /** The person presses Start: the bot gets `/start` and may write from now on. */
  personStarts(who: { personId: number; botId: number; payload?: string }): PersonActionResult;
  personEdits(edit: PersonMessage & { messageId: number }): PersonActionResult;
  /** The person presses an inline button; gives the id of the callback query. */
  personPresses(press: {
    personId: number;
    botId: number;
    messageId: number;
    data: string;
  }): string;
  personBlocks(who: { personId: number; botId: number }): void;
  personUnblocks(who: { personId: number; botId: number }): void;
  /** The chat as the phone shows it, oldest first. */
  messagesWith(personId: number, botId: number): StoredMessage[];
  isBlocked(personId: number, botId: number): boolean;
  /** Calls the listener for every new message of either side; the returned function ends it. */
  onMessage(
    listener: (message: StoredMessage & { botId: number; personId: number }) => void,
  ): () => void;
  /** Calls the listener for everything that happens; the returned function ends it. */
  onChange(listener: (change: TelegramChange) => void): () => void;
  /** Stops listening, ends every open request and all timers. */
  close(): Promise<void>;
}
