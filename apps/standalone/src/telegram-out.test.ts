// Out, one row a kind: what the Messaging API takes, and every field of the calls that Telegram gets for it.
import { features, mediaKinds } from "@thikaa/schema";
import { startWebhookSink } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jpeg, WholeLine, zainab } from "./fixtures/whole-line.ts";

let line: WholeLine;
/** Has the files. */
let web: WebhookSink;
beforeAll(async () => {
  line = await WholeLine.open();
  web = await startWebhookSink();
  web.answer(({ path }) => {
    const [name = ""] = path.split("?");
    return {
      headers: { "content-type": files[name as keyof typeof files] },
      body: name === "/a.jpg" ? jpeg : "%PDF-1.7 and more",
    };
  });
}, 60_000);
afterAll(async () => {
  await line?.close();
  await web?.close();
});

const files = {
  "/a.jpg": "image/jpeg",
  "/a.pdf": "application/pdf",
  "/a.mp4": "video/mp4",
  "/a.mp3": "audio/mpeg",
  "/a.ogg": "audio/ogg",
  "/a.webp": "image/webp",
};
const to = String(zainab.id);
const markup = "<b>ليس غامقًا</b> & *_x_* `y` [z](https://a.example)";
const long = "كلمة ".repeat(2_000).trim();

/** The calls that a send makes, in order, each with all its parameters. */
async function callsOf(body: object): Promise<{ method: string; parameters: object }[]> {
  const after = line.telegram.record.calls().at(-1)?.n ?? 0;
  await line.sent("send", { channel: "tg", to, ...body });
  return line.telegram.record
    .calls({ after, accepted: true })
    .filter(({ method }) => method !== "getUpdates")
    .map(({ method, parameters }) => ({ method, parameters }));
}

interface Row {
  /** What of the schema it shows. */
  readonly kind: string;
  readonly body: () => object;
  readonly calls: () => readonly { readonly method: string; readonly parameters: object }[];
}

const media = (
  kind: string,
  path: keyof typeof files,
  expected: { method: string; field: string; caption?: string },
): Row => ({
  kind,
  body: () => ({
    media_url: web.url + path,
    media_type: kind,
    ...(expected.caption === undefined ? {} : { message: expected.caption }),
  }),
  calls: () => [
    {
      method: expected.method,
      parameters: {
        chat_id: to,
        [expected.field]: web.url + path,
        ...(expected.caption === undefined ? {} : { caption: expected.caption }),
      },
    },
  ],
});

const point = { latitude: 33.3152, longitude: 44.3661 };
const rows: readonly Row[] = [
  {
    kind: "text",
    body: () => ({ message: markup }),
    calls: () => [{ method: "sendMessage", parameters: { chat_id: to, text: markup } }],
  },
  {
    kind: "text",
    body: () => ({ message: long }),
    calls: () =>
      [long.slice(0, 4094), long.slice(4095, 8189), long.slice(8190)].map((text) => ({
        method: "sendMessage",
        parameters: { chat_id: to, text },
      })),
  },
  media("image", "/a.jpg", { method: "sendPhoto", field: "photo", caption: markup }),
  media("document", "/a.pdf", { method: "sendDocument", field: "document", caption: "العقد" }),
  media("video", "/a.mp4", { method: "sendVideo", field: "video" }),
  media("audio", "/a.mp3", { method: "sendAudio", field: "audio" }),
  media("voice", "/a.ogg", { method: "sendVoice", field: "voice" }),
  media("sticker", "/a.webp", { method: "sendSticker", field: "sticker" }),
  {
    kind: "location",
    body: () => ({ location: point }),
    calls: () => [{ method: "sendLocation", parameters: { chat_id: to, ...point } }],
  },
  {
    kind: "location",
    body: () => ({ location: { ...point, name: "المتجر", address: "شارع السعدون" } }),
    calls: () => [
      {
        method: "sendVenue",
        parameters: { chat_id: to, ...point, title: "المتجر", address: "شارع السعدون" },
      },
    ],
  },
  {
    kind: "contact",
    body: () => ({ contact: { name: "زينب", phones: ["+9647700000001"] } }),
    calls: () => [
      {
        method: "sendContact",
        parameters: { chat_id: to, phone_number: "+9647700000001", first_name: "زينب" },
      },
    ],
  },
  {
    kind: "contact",
    body: () => ({ contact: { name: "Mai; Tran", phones: ["+84901", "+84902"] } }),
    calls: () => [
      {
        method: "sendContact",
        parameters: {
          chat_id: to,
          phone_number: "+84901",
          first_name: "Mai; Tran",
          vcard:
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mai\\; Tran\r\nTEL:+84901\r\nTEL:+84902\r\nEND:VCARD\r\n",
        },
      },
    ],
  },
  {
    kind: "buttons",
    body: () => ({
      message: "تؤكد؟",
      buttons: [
        { id: "yes:18", title: "نعم" },
        { url: "https://shop.example/18", title: "الطلب" },
      ],
    }),
    calls: () => [
      {
        method: "sendMessage",
        parameters: {
          chat_id: to,
          text: "تؤكد؟",
          reply_markup: {
            inline_keyboard: [
              [{ text: "نعم", callback_data: "yes:18" }],
              [{ text: "الطلب", url: "https://shop.example/18" }],
            ],
          },
        },
      },
    ],
  },
  {
    kind: "buttons",
    body: () => ({
      message: "صورة",
      media_url: `${web.url}/a.jpg?2`,
      media_type: "photo",
      buttons: [{ id: "more", title: "المزيد" }],
    }),
    calls: () => [
      {
        method: "sendPhoto",
        parameters: {
          chat_id: to,
          photo: `${web.url}/a.jpg?2`,
          caption: "صورة",
          reply_markup: { inline_keyboard: [[{ text: "المزيد", callback_data: "more" }]] },
        },
      },
    ],
  },
];

/** Shown by the tests below and those of commands, which need a message before, or no message at all. */
const shownApart = ["reply", "edit", "delete", "typing", "reactions", "read"];

test("every kind that the schema can send has a row", () => {
  const shown = new Set([...rows.map(({ kind }) => kind), ...shownApart]);
  expect(["text", ...mediaKinds, ...features].filter((kind) => !shown.has(kind))).toEqual([]);
});

test.each(rows.map((row, n) => ({ ...row, n })))(
  "row $n, $kind: each call has exactly these fields",
  async ({ body, calls }) => {
    expect(await callsOf(body())).toEqual(calls());
  },
);

test("text, file, place and card of one message go in order; the first answers, the last has the buttons", async () => {
  const said = line.telegram.personSays({ personId: zainab.id, botId: line.bot.id, text: "أين؟" });
  const [event] = await line.told(1);
  const replyTo = event?.event === "message.received" ? event.data.message_id : "";
  const calls = await callsOf({
    message: "هنا",
    media_url: `${web.url}/a.webp`,
    media_type: "sticker",
    location: point,
    contact: { name: "المتجر", phones: ["+9647700000002"] },
    buttons: [{ id: "ok", title: "شكرًا" }],
    reply_to: replyTo,
  });
  expect(calls.map(({ method }) => method)).toEqual([
    "sendSticker",
    "sendMessage",
    "sendLocation",
    "sendContact",
  ]);
  expect(calls[0]?.parameters).toMatchObject({
    reply_parameters: { message_id: said.messageId, allow_sending_without_reply: true },
  });
  expect(calls.slice(1).filter(({ parameters }) => "reply_parameters" in parameters)).toEqual([]);
  expect(calls.map(({ parameters }) => "reply_markup" in parameters)).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test("an answer to a message of ours names the first of its parts", async () => {
  const id = await line.sent("send", { channel: "tg", to, message: long });
  const { parts } = await line.until(id, "sent");
  const [first] = parts as { provider_message_id: string }[];
  const [call] = await callsOf({ message: "جواب", reply_to: id });
  expect(call?.parameters).toMatchObject({
    reply_parameters: { message_id: Number(first?.provider_message_id) },
  });
});

test("that somebody writes is shown in the person's chat", async () => {
  const after = line.telegram.record.calls().at(-1)?.n ?? 0;
  const { status, body } = await line.call("typing", { channel: "tg", to });
  expect([status, body]).toEqual([200, { ok: true, channel: "tg", to }]);
  const shown = () => line.telegram.record.calls({ after, method: "sendChatAction" });
  await line.telegram.record.until(() => shown().length === 1);
  expect(shown()[0]).toMatchObject({
    accepted: true,
    parameters: { chat_id: to, action: "typing" },
  });
});
