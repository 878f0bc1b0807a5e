// Zainab's phone: her chats in the Telegram stand-in, in the shape the page shows.
import type { PersonFile, TelegramChange, TelegramStandIn } from "@thikaa/stand-ins";
import { toPhoneMessage } from "./phone-message.ts";
import type { PhoneMessage } from "./phone-message.ts";

/** The customer of the sandbox. */
export const ZAINAB = {
  id: 700_000_001,
  firstName: "زينب",
  username: "zainab",
  languageCode: "ar",
  /** Her phone number, on WhatsApp. */
  number: "9647700000001",
} as const;

/** The phone of the sandbox's shop: the one to link, by its WhatsApp. */
export const SHOP = { number: "9647800000001", name: "متجر تجريبي · Demo shop" } as const;

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
  send(botId: number, said: { text: string; replyTo?: number | undefined }): void;
  sendFile(botId: number, file: Omit<PersonFile, "personId" | "botId">): void;
  sendPlace(
    botId: number,
    place: { latitude: number; longitude: number; replyTo?: number | undefined },
  ): void;
  sendCard(botId: number, card: { name: string; phone: string }): void;
  /** Changes a message of hers; throws for any other. */
  edit(botId: number, messageId: number, text: string): void;
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
    send: (botId, said) => void telegram.personSays({ personId, botId, ...said }),
    sendFile: (botId, file) => void telegram.personSendsFile({ personId, botId, ...file }),
    sendPlace: (botId, place) => void telegram.personSendsPlace({ personId, botId, ...place }),
    sendCard: (botId, { name, phone }) =>
      void telegram.personSendsCard({ personId, botId, firstName: name, phoneNumber: phone }),
    edit: (botId, messageId, text) =>
      void telegram.personEdits({ personId, botId, messageId, text }),
    press: (botId, messageId, data) =>
      void telegram.personPresses({ personId, botId, messageId, data }),
    block: (botId, blocked) =>
      blocked
        ? telegram.personBlocks({ personId, botId })
        : telegram.personUnblocks({ personId, botId }),
    file: (id) => {
      const file = telegram.file(id);
      return file && { bytes: file.bytes, mime: shownType(file.bytes) ?? plainType };
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

const plainType = "application/octet-stream";

const shownTypes: readonly (readonly [start: RegExp, type: string])[] = [
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^\x89PNG/, "image/png"],
  [/^GIF8/, "image/gif"],
  [/^RIFF....WEBP/s, "image/webp"],
  [/^OggS/, "audio/ogg"],
  [/^(ID3|\xff[\xe2-\xff])/, "audio/mpeg"],
  [/^....ftyp/s, "audio/mp4"],
  [/^RIFF....WAVE/s, "audio/wav"],
];

/** The type of what is shown or played in place, by its first bytes; `null` for anything else. */
function shownType(bytes: Buffer): string | null {
  const start = bytes.subarray(0, 12).toString("latin1");
  return shownTypes.find(([beginning]) => beginning.test(start))?.[1] ?? null;
}
