// Zainab's phone: her chats in the Telegram stand-in, in the shape the page shows.
import type {
  StoredMessage,
  TelegramChange,
  TelegramStandIn,
  WireButton,
  WireEntity,
} from "@thikaa/stand-ins";

/** The customer of the sandbox. */
export const ZAINAB = {
  id: 700_000_001,
  firstName: "زينب",
  username: "zainab",
  languageCode: "ar",
} as const;

/** One bubble. Times are ISO 8601. */
export interface PhoneMessage {
  id: number;
  author: "person" | "bot";
  text: string;
  entities: WireEntity[];
  sentAt: string;
  edited: boolean;
  replyTo: { author: "person" | "bot"; text: string } | null;
  buttons: WireButton[][];
}

/** One chat, as it stands. */
export interface PhoneChat {
  botId: number;
  name: string;
  username: string;
  blocked: boolean;
  messages: PhoneMessage[];
}

/** Something that happened on the phone. */
export type PhoneChange =
  | { type: "message" | "edit" | "delete"; botId: number; message: PhoneMessage }
  | { type: "typing"; botId: number }
  | { type: "blocked"; botId: number; blocked: boolean }
  | { type: "chat"; chat: PhoneChat };

/** Whose phone it is. */
export interface PhoneOwner {
  id: number;
  username: string;
}

/** What the page can do with the phone. */
export interface Phone {
  readonly owner: PhoneOwner;
  chats(): PhoneChat[];
  /** Throws in plain words when the text is empty or the bot is unknown. */
  send(botId: number, text: string): void;
  press(botId: number, messageId: number, data: string): void;
  block(botId: number, blocked: boolean): void;
  /** Calls the listener for each change from now on; the returned function ends it. */
  listen(listener: (change: PhoneChange) => void): () => void;
}

/** Puts Zainab's phone over a stand-in. She has pressed Start with every bot there is, and with each that comes. */
export function createPhone(telegram: TelegramStandIn): Phone {
  const personId = ZAINAB.id;
  telegram.addPerson({ ...ZAINAB });
  for (const { id } of telegram.bots()) telegram.openChat({ personId, botId: id });
  telegram.onChange((change) => {
    if (change.type === "bot") telegram.openChat({ personId, botId: change.botId });
  });
  const chats = (): PhoneChat[] => telegram.bots().map((bot) => chatOf(telegram, bot));
  return {
    owner: { id: personId, username: ZAINAB.username },
    chats,
    send: (botId, text) => void telegram.personSays({ personId, botId, text }),
    press: (botId, messageId, data) =>
      void telegram.personPresses({ personId, botId, messageId, data }),
    block: (botId, blocked) =>
      blocked
        ? telegram.personBlocks({ personId, botId })
        : telegram.personUnblocks({ personId, botId }),
    listen: (listener) =>
      telegram.onChange((change) => {
        const shown = toPhoneChange(change, chats);
        if (shown) listener(shown);
      }),
  };
}

function chatOf(
  telegram: TelegramStandIn,
  bot: { id: number; name: string; username: string },
): PhoneChat {
  return {
    botId: bot.id,
    name: bot.name,
    username: bot.username,
    blocked: telegram.isBlocked(ZAINAB.id, bot.id),
    messages: telegram.messagesWith(ZAINAB.id, bot.id).map(toPhoneMessage),
  };
}

function toPhoneChange(change: TelegramChange, chats: () => PhoneChat[]): PhoneChange | null {
  if (change.type === "bot") {
    const chat = chats().find(({ botId }) => botId === change.botId);
    return chat ? { type: "chat", chat } : null;
  }
  if (change.personId !== ZAINAB.id) return null;
  if (change.type === "typing") return { type: "typing", botId: change.botId };
  if (change.type === "block")
    return { type: "blocked", botId: change.botId, blocked: change.blocked };
  return { type: change.type, botId: change.botId, message: toPhoneMessage(change.message) };
}

function toPhoneMessage({ author, wire }: StoredMessage): PhoneMessage {
  const replied = wire.reply_to_message;
  return {
    id: wire.message_id,
    author,
    text: wire.text ?? "",
    entities: wire.entities ?? [],
    sentAt: new Date(wire.date * 1000).toISOString(),
    edited: wire.edit_date !== undefined,
    replyTo: replied
      ? { author: replied.from.is_bot ? "bot" : "person", text: replied.text ?? "" }
      : null,
    buttons: wire.reply_markup?.inline_keyboard ?? [],
  };
}
