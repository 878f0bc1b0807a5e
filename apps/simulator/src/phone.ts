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
  file: PhoneFile | null;
}

/** The file in a bubble; its bytes are at `/simulator/api/file?id=`. */
export interface PhoneFile {
  id: string;
  /** Shown in place; any other is a link. */
  isPicture: boolean;
  /** `null` when it has no name; then its kind stands for it. */
  name: string | null;
  kind: "photo" | "document" | "video" | "audio" | "voice" | "sticker";
  /** Bytes. */
  size: number;
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
  /** The bytes of a file in one of the chats, and what they may be shown as; `null` when there is none. */
  file(id: string): { bytes: Buffer; mime: string } | null;
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
    file: (id) => {
      const file = telegram.file(id);
      return file && { bytes: file.bytes, mime: pictureType(file.bytes) ?? plainType };
    },
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
    text: wire.text ?? wire.caption ?? "",
    entities: wire.entities ?? wire.caption_entities ?? [],
    sentAt: new Date(wire.date * 1000).toISOString(),
    edited: wire.edit_date !== undefined,
    replyTo: replied
      ? {
          author: replied.from.is_bot ? "bot" : "person",
          text: replied.text ?? replied.caption ?? "",
        }
      : null,
    buttons: wire.reply_markup?.inline_keyboard ?? [],
    file: toPhoneFile(wire),
  };
}

const fileKinds = ["photo", "document", "video", "audio", "voice", "sticker"] as const;

function toPhoneFile(wire: StoredMessage["wire"]): PhoneFile | null {
  const kind = fileKinds.find((each) => wire[each] !== undefined);
  const file = kind === undefined ? undefined : [wire[kind]].flat().at(-1);
  if (kind === undefined || file === undefined) return null;
  return {
    id: file.file_id,
    isPicture: kind === "photo" || kind === "sticker",
    name: file.file_name ?? null,
    kind,
    size: file.file_size,
  };
}

const plainType = "application/octet-stream";

/** A picture's type by its first bytes; `null` for anything else, which is never shown in place. */
function pictureType(bytes: Buffer): string | null {
  const start = bytes.subarray(0, 12).toString("latin1");
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (start.startsWith("\x89PNG")) return "image/png";
  if (start.startsWith("GIF8")) return "image/gif";
  return /^RIFF....WEBP/s.test(start) ? "image/webp" : null;
}
