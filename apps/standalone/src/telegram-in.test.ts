// In, one row a kind: what people do at Telegram, and the whole JSON of the signed webhook that tells of it.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { inboundTypes } from "@thikaa/schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { id, messageIdOf, received, time } from "./fixtures/received.ts";
import type { Data } from "./fixtures/received.ts";
import { jpeg, WholeLine, zainab } from "./fixtures/whole-line.ts";

const pagePath = "../../../docs/reference/channels/telegram.md";

let line: WholeLine;
beforeAll(async () => void (line = await WholeLine.open()), 60_000);
afterAll(() => line?.close());

const who = () => ({ personId: zainab.id, botId: line.bot.id });
const file = (kind: string, mime: string, name: unknown): Data => ({
  media_url: expect.stringContaining(`${line.url}/media/med_`),
  media_type: kind,
  media: [
    {
      url: expect.stringContaining(`${line.url}/media/med_`),
      type: kind,
      mime,
      size: jpeg.length,
      name,
      sha256: createHash("sha256").update(jpeg).digest("hex"),
      status: "ready",
    },
  ],
});

interface Row {
  readonly what: string;
  readonly type: (typeof inboundTypes)[number];
  /** Does it, and says what the event's data then is beside the type. */
  readonly act: () => Promise<Data> | Data;
}

const sendsFile = (
  kind: Parameters<WholeLine["telegram"]["personSendsFile"]>[0]["kind"],
  expected: { type: string; mime: string; name: string | RegExp },
): Row => ({
  what: kind,
  type: expected.type as Row["type"],
  act: () => {
    const name = typeof expected.name === "string" ? expected.name : undefined;
    const caption = kind === "sticker" || kind === "video_note" ? undefined : "تعليق";
    const sent = line.telegram.personSendsFile({ ...who(), kind, bytes: jpeg, name, caption });
    return {
      message: caption ?? null,
      provider_message_id: String(sent.messageId),
      ...file(expected.type, expected.mime, name ?? expect.stringMatching(expected.name)),
    };
  },
});

const sendsOther = (word: string, content: Data): Row => ({
  what: word,
  type: "unsupported",
  act: () => {
    const { messageId } = line.telegram.personSendsOther({ ...who(), content });
    return { raw_type: word, provider_message_id: String(messageId) };
  },
});

const point = { latitude: 33.3152, longitude: 44.3661 };
const rows: readonly Row[] = [
  {
    what: "text",
    type: "text",
    act: () => {
      const text = "كم السعر؟ <b>😀</b>";
      const { messageId } = line.telegram.personSays({ ...who(), text });
      return { message: text, provider_message_id: String(messageId) };
    },
  },
  sendsFile("photo", { type: "image", mime: "image/jpeg", name: /^photo-\d+\.jpg$/ }),
  sendsFile("document", { type: "document", mime: "application/pdf", name: "عقد 18.pdf" }),
  sendsFile("video", { type: "video", mime: "video/mp4", name: "clip.mp4" }),
  sendsFile("video_note", { type: "video", mime: "video/mp4", name: /^video_note-\d+\.mp4$/ }),
  sendsFile("animation", { type: "video", mime: "video/mp4", name: /^animation-\d+\.mp4$/ }),
  sendsFile("audio", { type: "audio", mime: "audio/mpeg", name: "song.mp3" }),
  sendsFile("voice", { type: "voice", mime: "audio/ogg", name: /^voice-\d+\.ogg$/ }),
  sendsFile("sticker", { type: "sticker", mime: "image/webp", name: /^sticker-\d+\.webp$/ }),
  {
    what: "location",
    type: "location",
    act: () => {
      const { messageId } = line.telegram.personSendsPlace({ ...who(), ...point });
      return {
        location: { ...point, name: null, address: null },
        provider_message_id: String(messageId),
      };
    },
  },
  {
    what: "venue",
    type: "location",
    act: () => {
      const venue = { title: "المكتب", address: "شارع السعدون" };
      const { messageId } = line.telegram.personSendsPlace({ ...who(), ...point, venue });
      return {
        location: { ...point, name: "المكتب", address: "شارع السعدون" },
        provider_message_id: String(messageId),
      };
    },
  },
  {
    what: "contact",
    type: "contact",
    act: () => {
      const { messageId } = line.telegram.personSendsCard({
        ...who(),
        phoneNumber: "+84901234567",
        firstName: "Mai",
        lastName: "Tran",
      });
      return {
        contacts: [{ name: "Mai Tran", phones: ["+84901234567"] }],
        provider_message_id: String(messageId),
      };
    },
  },
  sendsOther("poll", { poll: { id: "1", question: "متى؟", options: [] } }),
  sendsOther("dice", { dice: { emoji: "🎲", value: 5 } }),
  sendsOther("game", { game: { title: "g" } }),
  sendsOther("story", { story: { id: 7 } }),
  sendsOther("hologram", { hologram: { size: 3 } }),
  {
    what: "a reply to a message of ours",
    type: "text",
    act: async () => {
      const [ours, providerId] = await sendOurs("طلبك جاهز");
      const said = line.telegram.personSays({ ...who(), text: "شكرًا", replyTo: providerId });
      return { message: "شكرًا", reply_to: ours, provider_message_id: String(said.messageId) };
    },
  },
  {
    what: "a reply to an own message",
    type: "text",
    act: async () => {
      const { messageId } = line.telegram.personSays({ ...who(), text: "أولًا" });
      const own = messageIdOf((await line.told(1))[0]);
      const said = line.telegram.personSays({ ...who(), text: "أعني", replyTo: messageId });
      return { message: "أعني", reply_to: own, provider_message_id: String(said.messageId) };
    },
  },
  {
    what: "an edit",
    type: "edit",
    act: async () => {
      const { messageId } = line.telegram.personSays({ ...who(), text: "خطأ" });
      const own = messageIdOf((await line.told(1))[0]);
      line.telegram.personEdits({ ...who(), messageId, text: "صواب" });
      return {
        message: "صواب",
        edited: true,
        refers_to: own,
        provider_message_id: String(messageId),
      };
    },
  },
  {
    what: "a button with a short id",
    type: "button_reply",
    act: () => press("yes:18", "نعم"),
  },
  {
    what: "a button whose id Telegram can't carry",
    type: "button_reply",
    act: () => press(`طلب:${"رقم ".repeat(50)}😀`, "الطويل"),
  },
  {
    what: "a button whose id looks like one of our own marks",
    type: "button_reply",
    act: () => press("thikaa:00000000-0000-0000-0000-000000000000:0", "غريب"),
  },
  {
    what: "a reaction",
    type: "reaction",
    act: async () => {
      const [ours, providerId] = await sendOurs("هل أعجبك؟");
      line.telegram.personReacts({ ...who(), messageId: providerId, emoji: "👍" });
      return {
        reaction: { emoji: "👍", provider_message_id: String(providerId) },
        refers_to: ours,
        provider_message_id: null,
      };
    },
  },
  {
    what: "a reaction taken back",
    type: "reaction",
    act: async () => {
      const [ours, providerId] = await sendOurs("؟");
      line.telegram.personReacts({ ...who(), messageId: providerId, emoji: "👍" });
      await line.told(1);
      line.telegram.personReacts({ ...who(), messageId: providerId, emoji: null });
      return {
        reaction: { emoji: null, provider_message_id: String(providerId) },
        refers_to: ours,
        provider_message_id: null,
      };
    },
  },
];

/** Sends a text; gives our id of it and Telegram's. */
async function sendOurs(message: string, more: object = {}): Promise<[string, number]> {
  const ours = await line.sent("send", {
    channel: "tg",
    to: String(zainab.id),
    message,
    ...more,
  });
  const { parts } = await line.until(ours, "sent");
  const [part] = parts as { provider_message_id: string }[];
  return [ours, Number(part?.provider_message_id)];
}

async function press(buttonId: string, title: string): Promise<Data> {
  const buttons = [
    { id: "other", title: "غيره" },
    { id: buttonId, title },
  ];
  const [ours, messageId] = await sendOurs("اختر", { buttons });
  const phone = line.telegram.messagesWith(zainab.id, line.bot.id).at(-1);
  const data = phone?.wire.reply_markup?.inline_keyboard[1]?.[0]?.callback_data ?? "";
  const pressId = line.telegram.personPresses({ ...who(), messageId, data });
  return {
    message: title,
    button: { id: buttonId, title },
    reply_to: ours,
    provider_message_id: pressId,
    sent_at: null,
  };
}

/** Shown by the tests of business accounts, the only place where Telegram tells of it. */
const shownElsewhere = ["delete"];

/** Kinds that the channel's page calls otherwise than their rows. */
const rowOf: Readonly<Record<string, string>> = {
  "video note": "video_note",
  "unknown kind": "hologram",
  edit: "an edit",
  reply: "a reply to a message of ours",
  press: "a button with a short id",
  reaction: "a reaction",
};
/** Kinds that are no single message of a person with the bot: below, and in the tests of other chats. */
const noRow = [
  "block",
  "service message",
  "group",
  "business message",
  "business owner",
  "business edit",
  "business deletion",
  "business connection",
  "channel post",
];

test("every kind on the channel's page has a row", async () => {
  const page = await readFile(new URL(pagePath, import.meta.url), "utf8");
  const [, table = ""] = page.split("## What comes in");
  const kinds = [...(table.split("## ")[0] ?? "").matchAll(/^\| ([a-z ]+) \| (?!becomes)/gm)].map(
    ([, kind = ""]) => kind,
  );
  expect(kinds.length).toBeGreaterThan(20);
  const shown = new Set([...rows.map(({ what }) => what), ...noRow]);
  expect(kinds.filter((kind) => !shown.has(rowOf[kind] ?? kind))).toEqual([]);
});

test("every type of message that the schema knows has a row", () => {
  const shown = new Set<string>([...rows.map(({ type }) => type), ...shownElsewhere]);
  expect(inboundTypes.filter((type) => !shown.has(type))).toEqual([]);
});

test.each(rows)("$what is told as $type, whole", async ({ type, act }) => {
  const data = await act();
  expect(await line.told(1)).toEqual([received(line, { type, ...data })]);
});

test("every press was answered, so that no button spins", async () => {
  const pressed = rows.filter(({ type }) => type === "button_reply").length;
  const answers = () => line.telegram.record.calls({ method: "answerCallbackQuery" });
  await line.telegram.record.until(() => answers().length === pressed);
  expect(answers().every(({ accepted }) => accepted)).toBe(true);
});

test("an album is one message a file, all with the same album_id", async () => {
  const files = [
    { kind: "photo", bytes: jpeg, caption: "الصور" },
    { kind: "video", bytes: jpeg, name: "a.mp4" },
  ] as const;
  line.telegram.personSendsAlbum({ ...who(), files });
  const [first, second] = (await line.told(2)).map(({ data }) => data);
  expect(first).toMatchObject({ type: "image", message: "الصور", album_id: expect.any(String) });
  const album = first !== undefined && "album_id" in first ? first.album_id : null;
  expect(second).toMatchObject({ type: "video", message: null, album_id: album });
});

test("a block and its end are told as contact.updated", async () => {
  const contactUpdated = (blocked: boolean) => ({
    event: "contact.updated",
    instance_id: id("ins"),
    event_id: id("evt"),
    sequence: expect.any(Number),
    created_at: time,
    version: 1,
    data: {
      channel: "tg",
      connection_id: line.bot.connectionId,
      from: String(zainab.id),
      to: String(line.bot.id),
      contact: { id: id("cnt"), name: "زينب", phone: null, username: "zainab", locale: "ar" },
      blocked,
    },
  });
  line.telegram.personBlocks(who());
  expect(await line.told(1)).toEqual([contactUpdated(true)]);
  line.telegram.personUnblocks(who());
  expect(await line.told(1)).toEqual([contactUpdated(false)]);
});

test("what happened in a chat, and what nobody said, is told to nobody", async () => {
  line.telegram.personSendsOther({
    ...who(),
    content: { pinned_message: { message_id: 1, chat: { id: zainab.id } } },
  });
  line.telegram.personSays({ ...who(), text: "بعده" });
  expect(await line.told(1)).toMatchObject([{ data: { type: "text", message: "بعده" } }]);
});
