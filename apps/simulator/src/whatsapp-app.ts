// WhatsApp on Zainab's phone.
import type {
  ChatMessage,
  MediaKind,
  WhatsAppWebChange,
  WhatsAppWebStandIn,
} from "@thikaa/stand-ins";
import type { ChatApp, Deed, PhoneChange, PhoneChat } from "./chat-app.ts";
import { SHOP, ZAINAB } from "./people.ts";
import type { PhoneFileKind, PhoneMessage } from "./phone-message.ts";
import { shownType } from "./shown-type.ts";
import { whatsAppMessage } from "./whatsapp-message.ts";

const own = ZAINAB.number;

/** Her chats: with the shop, and with every other phone that she has something from. */
export function createWhatsApp(whatsapp: WhatsAppWebStandIn): ChatApp {
  const chats = (): PhoneChat[] =>
    whatsapp
      .phones()
      .filter(({ number }) => number !== own)
      .map((phone) => chatOf(whatsapp, phone))
      .filter(({ id, messages }) => id === chatId(SHOP.number) || messages.length > 0);
  return {
    channel: "wd",
    chats,
    act: (chat, deed) => act(whatsapp, numberOf(chat), deed),
    file: (id) => {
      const bytes = whatsapp.media(own, id.slice("wd-".length));
      if (bytes === null) return null;
      const buffer = Buffer.from(bytes);
      return { bytes: buffer, mime: shownType(buffer) };
    },
    listen: (listener) =>
      whatsapp.onChange((change) => {
        const shown = toPhoneChange(whatsapp, change);
        if (shown) listener(shown);
      }),
  };
}

function chatOf(
  whatsapp: WhatsAppWebStandIn,
  { number, name }: { number: string; name: string },
): PhoneChat {
  return {
    id: chatId(number),
    channel: "wd",
    name: name === "" ? `+${number}` : name,
    handle: `+${number}`,
    abilities: ["delete", "react", "read", "typing"],
    blocked: false,
    messages: whatsapp.messages(own, number).map((message) => toMessage(whatsapp, number, message)),
  };
}

const mediaKinds: Readonly<Record<PhoneFileKind, MediaKind>> = {
  photo: "image",
  document: "document",
  video: "video",
  audio: "audio",
  voice: "voice",
  sticker: "sticker",
};

async function act(whatsapp: WhatsAppWebStandIn, number: string, deed: Deed): Promise<void> {
  const way = { from: own, to: number };
  switch (deed.kind) {
    case "send": {
      const { text, replyTo } = deed;
      await whatsapp.send({ ...way, replyTo, content: { kind: "text", text } });
      break;
    }
    case "file": {
      const { kind, name, mime, caption, replyTo } = deed.file;
      const file = { kind: mediaKinds[kind], name, mime, caption, bytes: deed.bytes };
      await whatsapp.send({ ...way, replyTo, content: file });
      break;
    }
    case "place": {
      const { latitude, longitude, replyTo } = deed;
      await whatsapp.send({ ...way, replyTo, content: { kind: "location", latitude, longitude } });
      break;
    }
    case "card": {
      const { name, phone } = deed;
      await whatsapp.send({ ...way, content: { kind: "contact", name, phones: [phone] } });
      break;
    }
    case "edit":
    case "delete":
      await whatsapp.send({ ...way, content: deed });
      break;
    case "react": {
      const { messageId, emoji } = deed;
      await whatsapp.send({ ...way, content: { kind: "reaction", messageId, emoji } });
      break;
    }
    case "read":
      whatsapp.read({ phone: own, chat: number });
      break;
    case "type":
      whatsapp.type({ phone: own, to: number, state: deed.active ? "composing" : "paused" });
      break;
    default:
      throw new Error("WhatsApp has nothing like that.");
  }
}

function toPhoneChange(
  whatsapp: WhatsAppWebStandIn,
  change: WhatsAppWebChange,
): PhoneChange | null {
  if (change.phone !== own) return null;
  switch (change.type) {
    case "typing":
      return { type: "typing", chat: chatId(change.chat), active: change.state !== "paused" };
    case "message":
    case "update": {
      // The first message of a chat brings the chat.
      if (change.type === "message" && whatsapp.messages(own, change.chat).length === 1)
        return { type: "chat", chat: chatOf(whatsapp, whatsapp.phone(change.chat)) };
      const message = toMessage(whatsapp, change.chat, change.message);
      const type = change.type === "update" ? "change" : "message";
      return { type, chat: chatId(change.chat), message };
    }
    default:
      return null;
  }
}

function toMessage(
  whatsapp: WhatsAppWebStandIn,
  number: string,
  message: ChatMessage,
): PhoneMessage {
  return whatsAppMessage(message, {
    find: (id) => whatsapp.messages(own, number).find(({ messageId }) => messageId === id),
    sizeOf: (id) => whatsapp.media(own, id)?.byteLength ?? null,
  });
}

function chatId(number: string): string {
  return `wd-${number}`;
}

function numberOf(chat: string): string {
  return chat.slice("wd-".length);
}
