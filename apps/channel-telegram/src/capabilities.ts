// What Telegram can carry through us today: text both ways.
import type { Capabilities } from "@thikaa/schema";

/** Telegram's limit on one text, counted in UTF-16 units to be on the safe side of what it does not say. */
export const maxTextLength = 4096;

export const capabilities: Capabilities = {
  text: { maxLength: maxTextLength, unit: "utf16" },
  media: [],
  // Telegram never says that a message arrived or was read: `sent` is the last word.
  receipts: "none",
  // A bot may not write first, but only Telegram knows who has pressed Start: it decides, not we.
  firstMessage: true,
  windowHours: null,
};
