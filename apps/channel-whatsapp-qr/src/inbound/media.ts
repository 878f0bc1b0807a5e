// The file that a WhatsApp message carries; its reference is everything that is needed to fetch and decrypt it.
import type { InboundMedia, MediaKind } from "@thikaa/schema";
import type { WhatsAppMessage } from "../platform/message.ts";
import { writeReference } from "../media-reference.ts";
import type { FileKeyKind } from "../media-reference.ts";

/** What all of WhatsApp's messages with a file have, as far as it matters here. */
interface CarriedFile {
  readonly directPath?: string | null;
  readonly mediaKey?: Uint8Array | null;
  readonly fileSha256?: Uint8Array | null;
  readonly mimetype?: string | null;
  readonly fileLength?: unknown;
  readonly fileName?: string | null;
  readonly caption?: string | null;
}

interface Carried {
  readonly kind: MediaKind;
  readonly file: CarriedFile;
  readonly keyKind: FileKeyKind;
}

/** The file, and the words under it; `null` when the message carries none that could be fetched. */
export function mediaOf(
  message: WhatsAppMessage,
): { media: InboundMedia; caption: string | null } | null {
  const carried = carriedBy(message);
  if (carried === null) return null;
  const { kind, file, keyKind } = carried;
  const { directPath, mediaKey, fileSha256 } = file;
  if (!directPath || !mediaKey) return null;
  const size = Number(file.fileLength ?? Number.NaN);
  return {
    caption: file.caption || null,
    media: {
      reference: writeReference({
        path: directPath,
        key: Buffer.from(mediaKey).toString("base64"),
        sha256: fileSha256 ? Buffer.from(fileSha256).toString("base64") : null,
        keyKind,
      }),
      type: kind,
      mime: file.mimetype?.split(";")[0]?.trim() || null,
      size: Number.isSafeInteger(size) && size >= 0 ? size : null,
      name: file.fileName || nameOf(kind, file.mimetype ?? null),
    },
  };
}

function carriedBy(message: WhatsAppMessage): Carried | null {
  const { imageMessage, videoMessage, ptvMessage, audioMessage } = message;
  const { documentMessage, stickerMessage, lottieStickerMessage } = message;
  const sticker = stickerMessage ?? lottieStickerMessage?.message?.stickerMessage;
  const video = videoMessage ?? ptvMessage;
  if (imageMessage) return { kind: "image", file: imageMessage, keyKind: "image" };
  if (video) return { kind: "video", file: video, keyKind: "video" };
  if (audioMessage)
    return { kind: audioMessage.ptt ? "voice" : "audio", file: audioMessage, keyKind: "audio" };
  if (documentMessage) return { kind: "document", file: documentMessage, keyKind: "document" };
  if (sticker) return { kind: "sticker", file: sticker, keyKind: "image" };
  return null;
}

const endings: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
};

function nameOf(kind: MediaKind, mime: string | null): string {
  const type = mime?.split(";")[0]?.trim() ?? "";
  const ending = Object.hasOwn(endings, type)
    ? endings[type]
    : /\/([a-z0-9]{2,5})$/.exec(type)?.[1];
  return `${kind}.${ending ?? "bin"}`;
}
