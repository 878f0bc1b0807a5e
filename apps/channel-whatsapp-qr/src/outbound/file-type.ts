// What a file is by its MIME type: the kind to send it as, whether it fits a kind, and how phones want it named.
import { mediaKindOfMime } from "@thikaa/schema";
import type { MediaKind } from "@thikaa/schema";

/** What phones show as such; anything else of the same main type goes as a document. */
const shown: Readonly<Partial<Record<MediaKind, RegExp>>> = {
  image: /^image\/(jpeg|png)$/,
  video: /^video\/(mp4|3gpp)$/,
  audio: /^audio\/(mpeg|mp3|mp4|aac|amr|ogg|x-m4a)$/,
};

/** What a kind may be; a type that tells nothing fits all. */
const fitting: Readonly<Partial<Record<MediaKind, RegExp>>> = {
  image: /^image\//,
  video: /^video\//,
  audio: /^(audio|video)\/|^application\/ogg$/,
  voice: /^(audio|video)\/|^application\/ogg$/,
  sticker: /^image\/webp$/,
};
const tellsNothing = /^(application|binary)\/octet-stream$/;

/** Of a file whose server does not tell its type. */
const usual: Readonly<Record<MediaKind, string>> = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/mpeg",
  voice: "audio/ogg; codecs=opus",
  document: "application/octet-stream",
  sticker: "image/webp",
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

/** The type to tell phones. A voice note is played only as what it always is. */
export function typeFor(kind: MediaKind, mime: string | null): string {
  if (kind === "voice") return usual.voice;
  return mime === null || (kind !== "document" && tellsNothing.test(mime)) ? usual[kind] : mime;
}

/** The name that a document is shown by. */
export function nameFor(name: string | null): string {
  const clean = (name ?? "").replaceAll(/[\p{Cc}"/\\]/gu, "_").trim() || "file";
  return Array.from(clean).slice(-longestName).join("");
}
