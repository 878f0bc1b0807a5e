// Updates of Telegram in the shared schema: recorded forms, odd ones, and whatever a generator thinks of.
import type { RawItem } from "@thikaa/connector-kit";
import fc from "fast-check";
import { converted } from "@thikaa/schema";
import { expect, test } from "vitest";
import { readRecipient } from "../ids.ts";
import updates from "../fixtures/updates.json" with { type: "json" };
import { wantedUpdates } from "../platform/types.ts";
import { convert } from "./convert.ts";
import { itemsOf, splitBody } from "./raw-items.ts";

const itemOf = (update: unknown): RawItem => {
  const [item] = itemsOf(update, JSON.stringify(update));
  if (item === undefined) throw new Error("An update without an item.");
  return item;
};
const convertUpdate = (update: unknown) => convert(itemOf(update));
const bytes = (text: string) => new TextEncoder().encode(text);

test("a text message has every field of the shared schema", () => {
  expect(convertUpdate(updates.text)).toEqual({
    kind: "message",
    from: "5550001",
    contact: { name: "Mai Tran", phone: null, username: "maitran", locale: "vi" },
    type: "text",
    raw_type: null,
    text: "/start ref_77",
    media: [],
    button: null,
    location: null,
    contacts: null,
    reaction: null,
    reply_to: null,
    edited: false,
    provider_message_id: "51",
    sent_at: "2026-06-09T10:13:20.000Z",
  });
});

test("every kind of update that we ask for has its fixture, and so its line on the channel's page", () => {
  const shown = new Set(Object.values(updates).flatMap((update) => Object.keys(update)));
  expect(wantedUpdates.filter((kind) => !shown.has(kind))).toEqual([]);
});

test.each([["unknownKind", "hologram", null]] as const)(
  "a %s is unsupported with Telegram's word for it, and its caption counts as text",
  (name, rawType, text) => {
    expect(convertUpdate(updates[name])).toMatchObject({
      kind: "message",
      type: "unsupported",
      raw_type: rawType,
      text,
    });
  },
);

test.each([
  ["photo", "image", "image/jpeg", "photo-52.jpg", "AgAC_x", "broken part"],
  ["document", "document", "application/pdf", "invoice 18.pdf", "BQAC_d1", "please check"],
  ["voice", "voice", "audio/ogg", "voice-54.ogg", "AwAC_v1", null],
  ["videoNote", "video", "video/mp4", "video_note-56.mp4", "DQAC_vn", null],
  ["sticker", "sticker", "image/webp", "sticker-57.webp", "CAAC_s1", null],
  ["animation", "video", "video/mp4", "animation-61.mp4", "CgAC_a", null],
] as const)(
  "a %s is a message with one file, named by Telegram's id of it; a photo's is the largest size",
  (word, type, mime, name, reference, text) => {
    const found = convertUpdate(updates[word]);
    expect(found).toMatchObject({
      kind: "message",
      type,
      raw_type: null,
      text,
      media: [{ type, mime, name, reference }],
    });
    expect(converted.safeParse(found).success).toBe(true);
  },
);

test("an edit is an edit of the same message, at the time of the edit", () => {
  expect(convertUpdate(updates.edit)).toMatchObject({
    type: "edit",
    edited: true,
    text: "corrected text",
    provider_message_id: "51",
    sent_at: "2026-06-09T10:14:55.000Z",
  });
});

test("a reply names the message it answers", () => {
  expect(convertUpdate(updates.reply)).toMatchObject({
    type: "text",
    text: "thanks",
    reply_to: "9002",
  });
});

test("a pressed button says which one, by whom, under which message", () => {
  expect(convertUpdate(updates.press)).toMatchObject({
    type: "button_reply",
    from: "5550001",
    button: { id: "ok:18", title: "Yes" },
    text: "Yes",
    reply_to: "9010",
    provider_message_id: "4382bfdwdsb323b2d9",
    sent_at: null,
  });
});

test("a block is told with whom it was", () => {
  expect(convertUpdate(updates.block)).toEqual({
    kind: "block",
    from: "5550001",
    contact: { name: "Mai", phone: null, username: null, locale: null },
    blocked: true,
  });
});

test("a place with a name, and a person's card", () => {
  expect(convertUpdate(updates.venue)).toMatchObject({
    type: "location",
    raw_type: null,
    location: {
      latitude: 10.7769,
      longitude: 106.7009,
      name: "Post Office",
      address: "2 Cong xa Paris",
    },
  });
  expect(convertUpdate(updates.contact)).toMatchObject({
    type: "contact",
    contacts: [{ name: "Mai", phones: ["+84901234567"] }],
  });
});

test("a customer of a business account is answered through that account; the owner's own words are the account's", () => {
  const from = convertUpdate(updates.businessMessage);
  expect(from).toMatchObject({ kind: "message", type: "text", from: "5550002/bc_9xQ" });
  expect(readRecipient("5550002/bc_9xQ")).toEqual({ chatId: "5550002", businessId: "bc_9xQ" });
  expect(convertUpdate(updates.businessOwner)).toMatchObject({
    kind: "own",
    to: "5550002/bc_9xQ",
    contact: { name: "An" },
    type: "text",
    provider_message_id: "302",
    refers_to: null,
  });
  expect(itemOf(updates.businessMessage)).toMatchObject({ thread: "5550002/bc_9xQ" });
});

test("a message in a group is answered in the group", () => {
  expect(convertUpdate(updates.group)).toMatchObject({
    from: "-1001987654321",
    author: "5550001",
    contact: { name: "Mai", username: null },
  });
});

test("all that happens in one chat is one thread", () => {
  const threads = [updates.text, updates.photo, updates.edit, updates.press, updates.block].map(
    (update) => itemOf(update).thread,
  );
  expect(new Set(threads)).toEqual(new Set(["5550001"]));
});

test("a field of an unforeseen form is left out, and the rest goes on", () => {
  const odd = {
    update_id: 1,
    message: {
      message_id: 1,
      date: "yesterday",
      chat: { id: 7, first_name: 3 },
      from: "me",
      text: "hello",
      reply_to_message: 5,
      reply_markup: [],
    },
  };
  expect(convertUpdate(odd)).toMatchObject({
    kind: "message",
    type: "text",
    text: "hello",
    from: "7",
    sent_at: null,
    reply_to: null,
    contact: { name: null },
  });
});

test.each([
  "",
  "null",
  "[]",
  "7",
  '"text"',
  "{",
  '{"update_id":"1"}',
  '{"message":{"text":"no number"}}',
])("a body that is no update (%s) is one item, kept whole, known again by its digest", (body) => {
  const [item, ...more] = splitBody(bytes(body));
  expect(more).toEqual([]);
  expect(item?.key).toMatch(/^unread:[0-9a-f]{64}$/);
  expect(item).toEqual(splitBody(bytes(body))[0]);
  expect(item?.raw).toEqual(bytes(body));
  expect(item === undefined ? null : convert(item)).toEqual({
    kind: "notice",
    reason: "unreadable",
    raw_type: null,
  });
});

test("an update of a kind that we do not know, or of none, is a notice", () => {
  expect(convertUpdate({ update_id: 1, hologram: {} })).toEqual({
    kind: "notice",
    reason: "not_a_message",
    raw_type: "hologram",
  });
  expect(convertUpdate({ update_id: 1 })).toEqual({
    kind: "notice",
    reason: "not_a_message",
    raw_type: "empty",
  });
  expect(convertUpdate({ update_id: 1, constructor: {} })).toMatchObject({
    reason: "not_a_message",
  });
});

test("whatever comes, cutting and converting do not throw, and the result has the shared form", () => {
  const kind = fc.constantFrom(
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "business_message",
    "__proto__",
    "other",
  );
  const field = fc.constantFrom(
    "message_id",
    "chat",
    "from",
    "text",
    "id",
    "data",
    "date",
    "message",
    "reply_markup",
    "caption",
  );
  const body = fc.dictionary(
    field,
    fc.oneof(
      fc.jsonValue(),
      fc.record({
        id: fc.integer(),
        message_id: fc.integer(),
        chat: fc.record({ id: fc.integer() }),
      }),
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.tuple(kind, body).map(([name, value]) => ({ update_id: 5, [name]: value })),
      ),
      (update) => {
        for (const item of splitBody(bytes(JSON.stringify(update))))
          expect(converted.safeParse(convert(item)).success).toBe(true);
      },
    ),
    { seed: 11, numRuns: 1_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (body) => splitBody(body).length === 1),
    { seed: 11 },
  );
});
