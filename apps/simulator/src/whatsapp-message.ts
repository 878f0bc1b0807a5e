// A message of WhatsApp's stand-in as Zainab's phone shows it.
import type { ChatMessage, MediaKind, PhoneContent } from "@thikaa/stand-ins";
import { ZAINAB } from "./people.ts";
import type { PhoneFile, PhoneFileKind, PhoneKind, PhoneMessage } from "./phone-message.ts";

/** What a message needs to know of its surroundings. */
export interface Surroundings {
  /** Another message of the chat; `undefined` when it is gone. */
  readonly find: (messageId: string) => ChatMessage | undefined;
  /** The bytes of a message's file; `null` when there are none. */
  readonly sizeOf: (messageId: string) => number | null;
}

export function whatsAppMessage(message: ChatMessage, around: Surroundings): PhoneMessage {
  const { content, replyTo, messageId } = message;
  const replied = replyTo === null ? undefined : around.find(replyTo);
  return {
    id: messageId,
    author: authorOf(message),
    text: textOf(content),
    entities: [],
    sentAt: new Date(message.at).toISOString(),
    edited: message.edited,
    replyTo: replied
      ? { author: authorOf(replied), text: textOf(replied.content), kind: kindOf(replied.content) }
      : null,
    buttons: [],
    file: toFile(messageId, content, around),
    place: toPlace(content),
    card:
      content?.kind === "contact"
        ? { name: content.name, phone: content.phones.join(" · ") }
        : null,
    reaction: [message.reaction, message.ownReaction].join("") || null,
    status: message.status,
    missing: missingOf(message),
  };
}

/** The kinds of files by their names on the phone. */
const fileKinds: Readonly<Record<MediaKind, PhoneFileKind>> = {
  image: "photo",
  document: "document",
  video: "video",
  audio: "audio",
  voice: "voice",
  sticker: "sticker",
};

type FileContent = Extract<PhoneContent, { kind: MediaKind }>;

function fileOf(content: PhoneContent | null): FileContent | null {
  return content !== null && content.kind in fileKinds ? (content as FileContent) : null;
}

function authorOf({ from }: ChatMessage): "person" | "shop" {
  return from === ZAINAB.number ? "person" : "shop";
}

function textOf(content: PhoneContent | null): string {
  if (content?.kind === "text") return content.text;
  return fileOf(content)?.caption ?? "";
}

function kindOf(content: PhoneContent | null): PhoneKind | null {
  if (content?.kind === "location" || content?.kind === "contact") return content.kind;
  const file = fileOf(content);
  return file === null ? null : fileKinds[file.kind];
}

function toFile(
  messageId: string,
  content: PhoneContent | null,
  { sizeOf }: Surroundings,
): PhoneFile | null {
  const file = fileOf(content);
  if (file === null) return null;
  const isPicture = file.kind === "image" || file.kind === "sticker";
  return {
    id: `wd-${messageId}`,
    isPicture,
    name: file.name ?? null,
    kind: fileKinds[file.kind],
    // The size stands beside links alone: it costs opening the file.
    size: isPicture || file.kind === "voice" ? null : sizeOf(messageId),
  };
}

function toPlace(content: PhoneContent | null): PhoneMessage["place"] {
  if (content?.kind !== "location") return null;
  const { latitude, longitude, name, address } = content;
  return { latitude, longitude, name: name ?? null, address: address ?? null };
}

function missingOf({ content, deleted }: ChatMessage): PhoneMessage["missing"] {
  if (deleted) return "deleted";
  if (content === null) return "unreadable";
  return content.kind === "other" ? "unknown" : null;
}
