// What Telegram can carry through us.
import { mediaKinds } from "@thikaa/schema";
import type { Capabilities, MediaKind } from "@thikaa/schema";

/** Telegram's limit on one text, counted in UTF-16 units to be on the safe side of what it does not say. */
export const maxTextLength = 4096;
const maxCaptionLength = 1024;

const mebibyte = 1_048_576;

/** The largest upload of each kind; by its address Telegram takes less, and then we upload it. */
const maxBytes: Readonly<Record<MediaKind, number>> = {
  image: 10 * mebibyte,
  document: 50 * mebibyte,
  video: 50 * mebibyte,
  audio: 50 * mebibyte,
  voice: 50 * mebibyte,
  sticker: mebibyte / 2,
};

export function maxBytesOf(kind: MediaKind): number {
  return maxBytes[kind];
}

/** In the units of `maxTextLength`; 0 where a kind carries no caption. */
export function captionLengthOf(kind: MediaKind): number {
  return kind === "sticker" ? 0 : maxCaptionLength;
}

export const capabilities: Capabilities = {
  text: { maxLength: maxTextLength, unit: "utf16" },
  media: mediaKinds.map((kind) => ({
    kind,
    maxBytes: maxBytesOf(kind),
    captionLength: captionLengthOf(kind),
  })),
  features: ["location", "contact", "buttons", "reply", "typing", "edit", "delete", "reactions"],
  // Telegram never says that a message arrived or was read: `sent` is the last word.
  receipts: "none",
  // A bot may not write first, but only Telegram knows who has pressed Start: it decides, not we.
  firstMessage: true,
  windowHours: null,
};
