// What WhatsApp can carry through a linked device.
import { mediaKinds } from "@thikaa/schema";
import type { Capabilities, MediaKind } from "@thikaa/schema";

/** WhatsApp's limit on one text, counted in UTF-16 units to be on the safe side. */
export const maxTextLength = 65_536;
const maxCaptionLength = 1_024;

const mebibyte = 1_048_576;

/** What phones take and show as such. */
const maxBytes: Readonly<Record<MediaKind, number>> = {
  image: 16 * mebibyte,
  document: 100 * mebibyte,
  video: 64 * mebibyte,
  audio: 16 * mebibyte,
  voice: 16 * mebibyte,
  sticker: mebibyte,
};

const captioned: readonly MediaKind[] = ["image", "video", "document"];

export function maxBytesOf(kind: MediaKind): number {
  return maxBytes[kind];
}

/** In the units of `maxTextLength`; 0 where a kind carries no caption. */
export function captionLengthOf(kind: MediaKind): number {
  return captioned.includes(kind) ? maxCaptionLength : 0;
}

export const capabilities: Capabilities = {
  text: { maxLength: maxTextLength, unit: "utf16" },
  media: mediaKinds.map((kind) => ({
    kind,
    maxBytes: maxBytesOf(kind),
    captionLength: captionLengthOf(kind),
  })),
  // Linked devices may not send buttons: phones no longer show them.
  features: ["location", "contact", "reply", "typing", "edit", "delete", "reactions", "read"],
  receipts: "read",
  // By `writePartId`.
  sameWhenRepeated: true,
  firstMessage: true,
  windowHours: null,
};
