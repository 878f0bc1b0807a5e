// Recipients: every form of `to` that people write, and what becomes of it.
import { describe, expect, test } from "vitest";
import { cleanRecipient, isCallingCode } from "./recipient.ts";

const iraq = "9647701234567";

describe("a phone number, in any form, is one and the same", () => {
  test.each<[string, string | number]>([
    ["digits", "9647701234567"],
    ["a number", 9_647_701_234_567],
    ["a plus", "+9647701234567"],
    ["two zeros", "009647701234567"],
    ["a full-width plus", "\uff0b9647701234567"],
    ["spaces", "+964 770 123 4567"],
    ["no-break and thin spaces", "+964\u00a0770\u2009123\u202f4567"],
    ["dashes", "964-770-123-4567"],
    ["typographic dashes", "964\u2010770\u2011123\u20134567"],
    ["a minus sign", "964\u2212770\u22121234567"],
    ["dots", "964.770.123.4567"],
    ["slashes", "964/770/1234567"],
    ["brackets", "+(964) 770 [123] {4567}"],
    ["a national zero in brackets", "+964 (0)770 123 4567"],
    ["Arabic-Indic digits", "٩٦٤٧٧٠١٢٣٤٥٦٧"],
    ["Persian digits", "۹۶۴۷۷۰۱۲۳۴۵۶۷"],
    ["Arabic-Indic digits with a plus and spaces", "+٩٦٤ ٧٧٠ ١٢٣ ٤٥٦٧"],
    ["Persian digits after two Persian zeros", "۰۰۹۶۴۷۷۰۱۲۳۴۵۶۷"],
    ["digits of three scripts", "964٧٧٠۱۲۳4567"],
    ["direction marks around", "\u200e+9647701234567\u200f"],
    ["a right-to-left embedding", "\u202b+964\u202c 770 123 4567"],
    ["isolates", "\u2066+964 770 123 4567\u2069"],
    ["a direction mark before two zeros", "\u200f009647701234567"],
    ["a zero-width space and a byte order mark", "\ufeff964\u200b7701234567"],
    ["white space around", " \t+9647701234567\n"],
    ["a NUL", "964770\u00001234567"],
    ["an Arabic letter mark", "\u061c+9647701234567"],
  ])("%s", (_name, to) => {
    for (const channel of ["wd", "wa"] as const)
      expect(cleanRecipient(channel, to)).toEqual({ ok: true, to: iraq });
  });
});

describe("a store's default country completes a national number, and only that", () => {
  test.each<[string, string, string]>([
    ["0770 123 4567", "964", iraq],
    ["٠٧٧٠١٢٣٤٥٦٧", "964", iraq],
    ["(0770) 123-4567", "964", iraq],
    ["+9647701234567", "1", iraq],
    ["009647701234567", "1", iraq],
    ["9647701234567", "49", iraq],
    ["+44 20 7946 0958", "964", "442079460958"],
  ])("%s with %s is %s", (to, country, cleaned) => {
    expect(cleanRecipient("wd", to, country)).toEqual({ ok: true, to: cleaned });
  });
});

describe("what is no phone number is refused with how to write it", () => {
  test.each<[string, string | number, RegExp]>([
    ["without country code", "07701234567", /no country code.*9647701234567/],
    ["without country code, Arabic-Indic", "٠٧٧٠١٢٣٤٥٦٧", /no country code/],
    ["with a code that no country has", "+2101234567890", /no country code/],
    ["zeros alone", "0000000000", /no country code/],
    ["too short", "+964770", /7 to 15 digits, this one has 6/],
    ["too long", "+9647701234567890", /7 to 15 digits, this one has 16/],
    ["a name", "zainab", /not a phone number/],
    ["a tel: link", "tel:+9647701234567", /not a phone number/],
    ["letters among digits", "96477O1234567", /not a phone number/],
    ["two plus signs", "++9647701234567", /not a phone number/],
    ["a plus within", "964+7701234567", /not a phone number/],
    ["an extension", "+9647701234567 ext 5", /not a phone number/],
    ["two numbers", "+9647701234567, +9647701234568", /not a phone number/],
    ["a JID", "9647701234567@s.whatsapp.net", /not a phone number/],
    ["punctuation alone", "+()-", /not a phone number/],
    ["empty", "", /empty/],
    ["marks alone", "\u200e\u200f \ufeff", /empty/],
    ["a fraction", 9_647_701_234_567.5, /whole number/],
    ["a negative number", -9_647_701_234_567, /whole number/],
    ["zero", 0, /whole number/],
    ["a number too large to be exact", 2 ** 53, /whole number/],
    ["no number", Number.NaN, /whole number/],
    ["infinity", Number.POSITIVE_INFINITY, /whole number/],
  ])("%s", (_name, to, message) => {
    expect(cleanRecipient("wd", to)).toEqual({
      ok: false,
      message: expect.stringMatching(message),
    });
  });
});

test("somebody whose number is hidden is answered by the name they came in with, on that channel alone", () => {
  const to = "100000000000001@lid";
  expect(cleanRecipient("wd", ` ${to} `)).toEqual({ ok: true, to });
  expect(cleanRecipient("wa", to)).toMatchObject({ ok: false });
  expect(cleanRecipient("wd", "1@lid")).toMatchObject({ ok: false });
});

describe("a provider's id is the provider's own: only what no id can hold is taken away", () => {
  test.each<[string | number, string]>([
    ["700000001", "700000001"],
    [700_000_001, "700000001"],
    [" 700000001\n", "700000001"],
    ["\u200e700000001\u200f", "700000001"],
    ["-1001234567890", "-1001234567890"],
    ["@zainab_shop", "@zainab_shop"],
    ["٧٠٠", "٧٠٠"],
    ["00123", "00123"],
    ["a b-(c)", "a b-(c)"],
    ["x".repeat(256), "x".repeat(256)],
  ])("%j is %j", (to, cleaned) => {
    for (const channel of ["tg", "fb", "ig", "tt"] as const)
      expect(cleanRecipient(channel, to)).toEqual({ ok: true, to: cleaned });
  });

  test("one that is too long or empty is refused", () => {
    expect(cleanRecipient("tg", "x".repeat(257))).toMatchObject({ ok: false });
    expect(cleanRecipient("tg", " \u200e ")).toMatchObject({ ok: false });
  });
});

test("calling codes are a prefix code: none begins with another, so that a number has one country", () => {
  const codes = Array.from({ length: 999 }, (_, index) => String(index + 1)).filter(isCallingCode);
  expect(codes.length).toBeGreaterThan(200);
  const clashes = codes.filter((code) =>
    codes.some((other) => other !== code && code.startsWith(other)),
  );
  expect(clashes).toEqual([]);
});
