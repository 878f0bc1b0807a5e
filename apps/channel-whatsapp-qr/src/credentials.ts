// What a store says of a linked phone: its number, if it likes, and how carefully to send. Nothing of it is secret.
import type { CredentialsDescription, CredentialValues } from "@thikaa/connector-kit";
import { readPhoneNumber } from "@thikaa/schema";
import { z } from "zod";

/** How a connection sends, in numbers. 0 turns each off. */
export interface SendingSettings {
  /** Between two messages of the connection lies a time between these two, in milliseconds. */
  readonly paceMs: { readonly min: number; readonly max: number };
  /** How many people that never wrote may be written to for the first time in a day. */
  readonly dailyFirstContacts: number;
}

/** Careful, for a number that nobody wants to lose. */
const usual = { pace_min_ms: "3000", pace_max_ms: "10000", daily_first_contacts: "20" };
const longestPaceMs = 600_000;
const mostFirstContacts = 10_000;

const wholeNumber = (most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,6}$/, "This is a whole number, like 3000; 0 turns it off.")
    .refine((text) => Number(text) <= most, `This is at most ${most}.`);

/** A field that was left empty in a form is one that was not given. */
const given = <Field extends z.ZodType>(field: Field) =>
  z.preprocess((value) => (value === "" ? undefined : value), field);

const values = z
  .object({
    phone: given(
      z
        .string()
        .transform((text, check) => {
          const number = readPhoneNumber(text);
          if (number === null)
            check.addIssue("This is a number with its country code, like 9647701234567.");
          return number ?? "";
        })
        .optional(),
    ),
    pace_min_ms: given(wholeNumber(longestPaceMs).default(usual.pace_min_ms)),
    pace_max_ms: given(wholeNumber(longestPaceMs).default(usual.pace_max_ms)),
    daily_first_contacts: given(wholeNumber(mostFirstContacts).default(usual.daily_first_contacts)),
  })
  .transform(({ phone, ...settings }): Record<string, string> => ({
    ...settings,
    ...(phone === undefined ? {} : { phone }),
  }));

export const credentials: CredentialsDescription = {
  values,
  fields: [
    {
      name: "phone",
      level: "connection",
      label: { en: "Phone number", ar: "رقم الهاتف" },
      help: {
        en: "The number of the phone that will scan the code, with its country code, like 9647701234567. Leave it empty to take the first phone that scans.",
        ar: "رقم الهاتف الذي سيمسح الرمز مع رمز الدولة، مثل 9647701234567. اتركه فارغًا لقبول أول هاتف يمسح الرمز.",
      },
      secret: false,
      required: false,
    },
    {
      name: "pace_min_ms",
      level: "connection",
      label: {
        en: "Shortest pause between messages (ms)",
        ar: "أقصر فاصل بين الرسائل (مللي ثانية)",
      },
      help: {
        en: "WhatsApp restricts numbers that send like machines. Default 3000; 0 sends without pauses.",
        ar: "يقيّد واتساب الأرقام التي ترسل كالآلات. الافتراضي 3000؛ و0 يرسل دون فواصل.",
      },
      secret: false,
      required: false,
    },
    {
      name: "pace_max_ms",
      level: "connection",
      label: {
        en: "Longest pause between messages (ms)",
        ar: "أطول فاصل بين الرسائل (مللي ثانية)",
      },
      help: {
        en: "Each pause is a random one between the shortest and this. Default 10000; 0 sends without pauses.",
        ar: "كل فاصل عشوائي بين الأقصر وهذا. الافتراضي 10000؛ و0 يرسل دون فواصل.",
      },
      secret: false,
      required: false,
    },
    {
      name: "daily_first_contacts",
      level: "connection",
      label: { en: "New people a day", ar: "أشخاص جدد في اليوم" },
      help: {
        en: "How many people who never wrote to you may be written to each day; fewer in the first days after pairing. Default 20; 0 sets no limit.",
        ar: "عدد الأشخاص الذين لم يكتبوا إليك ويمكن مراسلتهم كل يوم؛ وأقل في الأيام الأولى بعد الربط. الافتراضي 20؛ و0 بلا حد.",
      },
      secret: false,
      required: false,
    },
  ],
};

/** The number that the owner named; `null` when none was. */
export function expectedNumber(given: CredentialValues): string | null {
  return given["phone"] || null;
}

export function sendingSettings(values: CredentialValues): SendingSettings {
  const given = { ...usual, ...values };
  return {
    paceMs: paceOf(Number(given.pace_min_ms), Number(given.pace_max_ms)),
    dailyFirstContacts: Number(given.daily_first_contacts),
  };
}

/** Who names a shortest pause above the longest wants to send slowly; even gaps are what machines make. */
function paceOf(min: number, max: number): SendingSettings["paceMs"] {
  if (max === 0) return { min: 0, max: 0 };
  return { min, max: min > max ? Math.round(min * 1.5) : max };
}
