// Recipients: how `to` is cleaned into the one form in which a channel knows a person.
import { channels } from "./channels.ts";
import type { Channel, ChannelCode } from "./channels.ts";
import { storableText } from "./text.ts";

/** A cleaned recipient, or why it can't be one, in words for the sender. */
export type CleanRecipient =
  | { readonly ok: true; readonly to: string }
  | { readonly ok: false; readonly message: string };

/** Digits of every assigned country calling code (ITU E.164), by their length. */
const callingCodes = new Set(
  (
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 " +
    "211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249 " +
    "250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 " +
    "370 371 372 373 374 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 " +
    "594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870 " +
    "878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998"
  ).split(" "),
);

const directionMarks = /[\u061C\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;
const phonePunctuation = /[\s()[\]{}.\-/\u00A0\u2010-\u2015\u2212]/g;
const howToWritePhone =
  "Write the phone number with its country code, digits only, like 9647701234567.";
const longestId = 256;

/** Whether digits are an assigned country calling code. */
export function isCallingCode(digits: string): boolean {
  return callingCodes.has(digits);
}

/**
 * Cleans `to` for a channel. Phone channels take spaces, dashes, brackets, a leading `+` or `00`, Arabic-Indic and
 * Persian digits and direction marks; ids are only trimmed, since they are the provider's own, and so are the names of
 * people whose number the provider keeps from us.
 * `defaultCallingCode` (digits) completes a number written with its national leading zero.
 */
export function cleanRecipient(
  channel: ChannelCode,
  to: string | number,
  defaultCallingCode?: string | null,
): CleanRecipient {
  if (typeof to === "number" && !(Number.isSafeInteger(to) && to > 0)) {
    return {
      ok: false,
      message: "'to' as a number must be a positive whole number; write longer ids as text.",
    };
  }
  const text = storableText(String(to)).replace(directionMarks, "").trim();
  if (text === "") return { ok: false, message: "'to' is empty." };
  const { recipient, withoutNumber }: Channel = channels[channel];
  return recipient === "id" || withoutNumber?.test(text) === true
    ? cleanId(text)
    : cleanPhone(text, defaultCallingCode ?? null);
}

/** A phone number with its country code, written as people do, in digits alone; `null` when it is none. */
export function readPhoneNumber(text: string): string | null {
  const cleaned = cleanPhone(storableText(text).replace(directionMarks, "").trim(), null);
  return cleaned.ok ? cleaned.to : null;
}

function cleanId(text: string): CleanRecipient {
  if (text.length > longestId)
    return { ok: false, message: `'to' is longer than ${longestId} characters.` };
  return { ok: true, to: text };
}

function cleanPhone(text: string, defaultCallingCode: string | null): CleanRecipient {
  const western = text
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[\u06F0-\u06F9]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0));
  const written = western
    .replace(/[\uFF0B]/g, "+")
    .replace(/\(0\)/g, "")
    .replace(phonePunctuation, "");
  const international = written.startsWith("+")
    ? written.slice(1)
    : written.startsWith("00")
      ? written.slice(2)
      : written;
  if (!/^\d+$/.test(international))
    return { ok: false, message: `'to' is not a phone number. ${howToWritePhone}` };
  const digits =
    international === written && written.startsWith("0")
      ? withCountry(written, defaultCallingCode)
      : international;
  if (digits === null || !startsWithCallingCode(digits))
    return { ok: false, message: `The phone number has no country code. ${howToWritePhone}` };
  if (digits.length < 7 || digits.length > 15)
    return {
      ok: false,
      message: `A phone number has 7 to 15 digits, this one has ${digits.length}. ${howToWritePhone}`,
    };
  return { ok: true, to: digits };
}

function withCountry(national: string, callingCode: string | null): string | null {
  return callingCode === null ? null : callingCode + national.replace(/^0+/, "");
}

function startsWithCallingCode(digits: string): boolean {
  return [1, 2, 3].some((length) => callingCodes.has(digits.slice(0, length)));
}
