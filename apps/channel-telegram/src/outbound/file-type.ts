// What a file is by its MIME type: the kind to send it as, whether it fits a kind, and a name that people can open it by.
import { mediaKindOfMime } from "@thikaa/schema";
import type { MediaKind } from "@thikaa/schema";

/** What Telegram shows as such; anything else of the same main type goes as a document. */
const shown: Readonly<Partial<Record<MediaKind, RegExp>>> = {
  image: /^image\/(jpeg|png|webp)$/,
  video: /^video\/mp4$/,
  audio: /^audio\/(mpeg|mp3|mp4|x-m4a|aac)$/,
};

/** What a kind may be; a type that tells nothing fits all. */
const fitting: Readonly<Partial<Record<MediaKind, RegExp>>> = {
  image: /^image\//,
  video: /^video\//,
  audio: /^(audio|video)\/|^application\/ogg$/,
  voice: /^(audio|video)\/|^application\/ogg$/,
  sticker: /^image\/webp$|^video\/webm$|^application\/(x-tgsticker|gzip)$/,
};
const tellsNothing = /^(application|binary)\/octet-stream$/;

const endings: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "video/mp4": "mp4",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "application/pdf": "pdf",
  "application/zip": "zip",
  "text/plain": "txt",
  "text/csv": "csv",
};
const longestName = 120;

/** The kind to send a file as when nobody named one. */
export function kindOfFile(mime: string | null): MediaKind {
  const kind = mime === null ? "document" : mediaKindOfMime(mime);
  return shown[kind]?.test(mime ?? "") ? kind : "document";
}

export function fits(kind: MediaKind, mime: string | null): boolean {
  return mime === null || tellsNothing.test(mime) || (fitting[kind]?.test(mime) ?? true);
}

/** The file's own name, made safe to write into a form, with an ending where it has none. */
export function fileNameOf(
  { name, mime }: { name: string | null; mime: string | null },
  kind: MediaKind,
): string {
  const clean = (name ?? "").replaceAll(/[\p{Cc}"/\\]/gu, "_").trim() || kind;
  const short = Array.from(clean).slice(-longestName).join("");
  const ending = mime !== null && Object.hasOwn(endings, mime) ? endings[mime] : undefined;
  return ending === undefined || /\.[\p{L}\p{N}]{1,10}$/u.test(short)
    ? short
    : `${short}.${ending}`;
}
