// Text, ids and names: what a database can hold, what equals what, and what people meant to type.
import { expect, test } from "vitest";
import { idPrefixes, fromWireId, newId, timeOfId, toWireId } from "./ids.ts";
import type { IdKind } from "./ids.ts";
import { mediaKindOfHint, mediaKindOfUrl } from "./content.ts";
import { toCredits, toMicro } from "./money.ts";
import { storeSlug } from "./names.ts";
import { canonicalJson, isOneEmoji, nearestName, storableJson, storableText } from "./text.ts";
import { sendFields } from "./api.ts";

test("text is storable without NUL and half characters, and else unchanged", () => {
  expect(storableText("a\u0000b\ud83dc\udc47")).toBe("ab\ufffdc\ufffd");
  expect(storableText("مرحبا 👇\u200f")).toBe("مرحبا 👇\u200f");
  expect(storableJson({ "k\u0000": ["\ud800", { n: 1, b: null }] })).toEqual({
    k: ["\ufffd", { n: 1, b: null }],
  });
});

test("one emoji is one however it is made up; words, digits and two of them are none", () => {
  const emoji = ["👍", "👍🏽", "❤", "❤️", "👨‍👩‍👧", "🇮🇶", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"];
  expect(emoji.filter((text) => !isOneEmoji(text))).toEqual([]);
  const none = ["", "a", "1", "👍👍", "ok 👍", "👍 ", "🇮", "\u200d"];
  expect(none.filter(isOneEmoji)).toEqual([]);
});

test("canonical JSON is equal for equal values alone", () => {
  const same = [
    String.raw`{"b":[1,{"y":"\u0061","x":1.0}],"a":1e2}`,
    '{ "a":100,\n"b":[1,{"x":1,"y":"a"}] }',
  ].map((text) => canonicalJson(JSON.parse(text)));
  expect(same[0]).toBe(same[1]);
  const different = [
    "{}",
    "[]",
    "null",
    '""',
    "0",
    '"0"',
    "false",
    '{"a":null}',
    '{"a":{}}',
    '["a",null]',
    '{"a":"b"}',
    '["a","b"]',
    '{"__proto__":1}',
  ].map((text) => canonicalJson(JSON.parse(text)));
  expect(new Set(different).size).toBe(different.length);
});

test.each([
  ["mesage", "message"],
  ["chanel", "channel"],
  ["mediaurl", "media_url"],
  ["To", "to"],
  ["ttll", "ttl"],
  ["zzzzzzzz", null],
  ["x", null],
])("a field written %s means %s", (typed, meant) => {
  expect(nearestName(typed, sendFields)).toBe(meant);
});

test("a wire id keeps its kind and its id", () => {
  for (const kind of Object.keys(idPrefixes) as IdKind[]) {
    const id = newId();
    const wire = toWireId(kind, id);
    expect(wire).toMatch(/^[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(fromWireId(kind, wire)).toBe(id);
    expect(fromWireId(kind, wire.toLowerCase())).toBe(id);
    expect(fromWireId(kind === "message" ? "event" : "message", wire)).toBeNull();
  }
});

test.each([
  "",
  "msg_",
  "msg_0",
  "msg_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "msg_0000000000000000000000000U",
  "msg_0000000000000000000000000٠",
])("%j is no message id", (text) => {
  expect(fromWireId("message", text)).toBeNull();
});

test("ids of one process sort in the order they were made, also thousands in one millisecond, and tell their time", () => {
  const ids = Array.from({ length: 10_000 }, () => newId());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Math.abs(timeOfId(ids[0] ?? "") - Date.now())).toBeLessThan(5_000);
  expect(
    ids.every((id) =>
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
    ),
  ).toBe(true);
});

test.each([
  ["image", "image"],
  ["Photo", "image"],
  [" PDF ", "document"],
  ["file", "document"],
  ["image/webp", "image"],
  ["video/mp4", "video"],
  ["audio/ogg; codecs=opus", "audio"],
  ["application/pdf", "document"],
  ["ptt", "voice"],
  ["sticker", "sticker"],
  ["hologram", null],
  ["constructor", null],
  ["__proto__", null],
])("the hint %j means %s", (hint, kind) => {
  expect(mediaKindOfHint(hint)).toBe(kind);
});

test.each([
  ["https://example.com/a.PNG?x=.mp4", "image"],
  ["https://example.com/a", null],
  ["https://example.com/a.mp4", "video"],
  ["https://example.com/a.ogg", "audio"],
  ["https://example.com/a.constructor", null],
])("the file %s is by its name a %s", (url, kind) => {
  expect(mediaKindOfUrl(url)).toBe(kind);
});

test("credits come back from millionths exactly", () => {
  for (const credits of [0, 0.000_001, 0.1, 0.3, 1, 999_999.999_999, 1_000_000_000])
    expect(toCredits(toMicro(credits))).toBe(credits);
});

test.each([
  ["demo", true],
  ["a-1", true],
  ["a", false],
  ["Demo", false],
  ["api", false],
  ["hooks", false],
  ["متجر", false],
  ["a".repeat(41), false],
])("the slug %s is taken: %s", (slug, taken) => {
  expect(storeSlug.safeParse(slug).success).toBe(taken);
});
