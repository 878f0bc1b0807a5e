// The file that a Telegram message carries, in the shared schema; its reference is Telegram's file id.
import type { InboundMedia, MediaKind } from "@thikaa/schema";
import { file, photoSize } from "../platform/types.ts";
import type { TelegramFile, TelegramMessage } from "../platform/types.ts";

interface FileKind {
  readonly kind: MediaKind;
  /** Where Telegram does not tell the type, it is always this one. */
  readonly mime: string | null;
  /** Of the name that is made up where Telegram tells none. */
  readonly ending: string;
}

/** By Telegram's word for what a message carries. */
const kinds: Readonly<Record<string, FileKind>> = {
  animation: { kind: "video", mime: "video/mp4", ending: "mp4" },
  photo: { kind: "image", mime: "image/jpeg", ending: "jpg" },
  video_note: { kind: "video", mime: "video/mp4", ending: "mp4" },
  video: { kind: "video", mime: "video/mp4", ending: "mp4" },
  voice: { kind: "voice", mime: "audio/ogg", ending: "ogg" },
  audio: { kind: "audio", mime: "audio/mpeg", ending: "mp3" },
  sticker: { kind: "sticker", mime: "image/webp", ending: "webp" },
  document: { kind: "document", mime: null, ending: "bin" },
};

/** `null` when the message carries no file of this word, or one that can't be read. */
export function mediaOf(message: TelegramMessage, word: string): InboundMedia | null {
  const known = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (known === undefined) return null;
  const found = word === "photo" ? largest(message["photo"]) : readFile(message[word]);
  if (found === null) return null;
  const { mime, ending } = word === "sticker" ? stickerType(found) : known;
  return {
    reference: found.file_id,
    type: known.kind,
    mime: found.mime_type ?? mime,
    size: found.file_size ?? null,
    name: found.file_name ?? `${word}-${message.message_id}.${ending}`,
  };
}

/** Of a photo's sizes, the one with the most to see; the last of equals. */
function largest(sizes: unknown): TelegramFile | null {
  const read = (Array.isArray(sizes) ? sizes : []).flatMap((size: unknown) => {
    const parsed = photoSize.safeParse(size);
    return parsed.success ? [parsed.data] : [];
  });
  return (
    read.toSorted((one, other) => one.width * one.height - other.width * other.height).at(-1) ??
    null
  );
}

function readFile(value: unknown): TelegramFile | null {
  const parsed = file.safeParse(value);
  return parsed.success ? parsed.data : null;
}

function stickerType(sticker: TelegramFile): { mime: string; ending: string } {
  if (sticker["is_animated"] === true) return { mime: "application/x-tgsticker", ending: "tgs" };
  return sticker["is_video"] === true
    ? { mime: "video/webm", ending: "webm" }
    : { mime: "image/webp", ending: "webp" };
}
