// What a bot sends: with grammY, unmodified, and with raw HTTP in every encoding.
import { Api, GrammyError } from "grammy";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, startWithChat, ZAINAB } from "./fixtures/world.ts";

let standIn: TelegramStandIn;
let botId: number;
let token: string;
let api: Api;

beforeEach(async () => {
  ({ standIn, botId, token } = await startWithChat());
  api = new Api(token, { apiRoot: standIn.url });
});
afterEach(() => standIn.close());

const refusal = async (sending: Promise<unknown>): Promise<GrammyError> => {
  const error = await sending.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof GrammyError) return error;
  throw new Error(`expected Telegram to refuse, got ${String(error)}`);
};

test("getMe describes the bot that owns the token", async () => {
  expect(await api.getMe()).toMatchObject({
    id: botId,
    is_bot: true,
    first_name: "Shop Desk",
    username: "shop_desk_bot",
    can_connect_to_business: true,
  });
});

test("an Arabic text sent by grammY arrives on the person's phone and is recorded", async () => {
  const sent = await api.sendMessage(ZAINAB.id, "مرحبا زينب 👋");
  expect(sent).toMatchObject({
    text: "مرحبا زينب 👋",
    chat: { id: ZAINAB.id, type: "private" },
    from: { id: botId, is_bot: true },
  });
  expect(standIn.messagesWith(ZAINAB.id, botId).at(-1)).toMatchObject({
    author: "bot",
    wire: { message_id: sent.message_id, text: "مرحبا زينب 👋" },
  });
  expect(standIn.record.calls({ method: "sendMessage" })).toMatchObject([
    {
      botId,
      outcome: "answered",
      status: 200,
      accepted: true,
      parameters: { chat_id: ZAINAB.id, text: "مرحبا زينب 👋" },
      result: { message_id: sent.message_id },
    },
  ]);
});

test("message ids count per chat, not per bot", async () => {
  standIn.addPerson({ id: 5, firstName: "Mai" });
  standIn.personStarts({ personId: 5, botId });
  const first = await api.sendMessage(ZAINAB.id, "one");
  const other = await api.sendMessage(5, "one");
  expect(other.message_id).toBe(first.message_id);
});

test("a text may have 4096 characters and not one more", async () => {
  await api.sendMessage(ZAINAB.id, "ب".repeat(4096));
  expect(await refusal(api.sendMessage(ZAINAB.id, "ب".repeat(4097)))).toMatchObject({
    error_code: 400,
    description: "Bad Request: message is too long",
  });
  const marked = `<b>${"x".repeat(4096)}</b>`;
  expect((await api.sendMessage(ZAINAB.id, marked, { parse_mode: "HTML" })).text).toHaveLength(
    4096,
  );
});

test.each(["", "   \n ", "\u200e\u200b"])(
  "a text of nothing visible (%j) is refused",
  async (text) => {
    expect(await refusal(api.sendMessage(ZAINAB.id, text))).toMatchObject({
      error_code: 400,
      description: "Bad Request: message text is empty",
    });
  },
);

test("a person who never pressed Start, and an id nobody has, are chat not found", async () => {
  standIn.addPerson({ id: 5, firstName: "Mai" });
  for (const id of [5, 999, "@nobody", "-100123"]) {
    expect(await refusal(api.sendMessage(id, "hello"))).toMatchObject({
      error_code: 400,
      description: "Bad Request: chat not found",
    });
  }
});

test("a person who blocked the bot answers 403 until they unblock it", async () => {
  standIn.personBlocks({ personId: ZAINAB.id, botId });
  expect(await refusal(api.sendMessage(ZAINAB.id, "hello"))).toMatchObject({
    error_code: 403,
    description: "Forbidden: bot was blocked by the user",
  });
  standIn.personUnblocks({ personId: ZAINAB.id, botId });
  await api.sendMessage(ZAINAB.id, "hello again");
});

test("HTML becomes text and entities", async () => {
  const sent = await api.sendMessage(
    ZAINAB.id,
    'Your order <b>#18 is <i>ready</i></b> &amp; <a href="https://shop.example/">here</a>',
    { parse_mode: "HTML" },
  );
  expect(sent.text).toBe("Your order #18 is ready & here");
  expect(sent.entities).toEqual([
    { type: "bold", offset: 11, length: 12 },
    { type: "italic", offset: 18, length: 5 },
    { type: "text_link", offset: 26, length: 4, url: "https://shop.example/" },
  ]);
});

test.each([
  ["a <b>bold", `can't parse entities: Can't find end tag corresponding to start tag "b"`],
  ["é <h1>x</h1>", `can't parse entities: Unsupported start tag "h1" at byte offset 3`],
  ["x</b>", "can't parse entities: Unexpected end tag at byte offset 1"],
  [
    "<b>x</i>",
    `can't parse entities: Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`,
  ],
  ["1 <", "can't parse entities: Unclosed start tag at byte offset 2"],
])("bad HTML %j is refused and nothing is delivered", async (text, reason) => {
  const before = standIn.messagesWith(ZAINAB.id, botId).length;
  expect(await refusal(api.sendMessage(ZAINAB.id, text, { parse_mode: "HTML" }))).toMatchObject({
    error_code: 400,
    description: `Bad Request: ${reason}`,
  });
  expect(standIn.messagesWith(ZAINAB.id, botId)).toHaveLength(before);
});

test("a reply echoes what it answers, one level deep; a lost one is refused unless allowed", async () => {
  const question = standIn.personSays({ personId: ZAINAB.id, botId, text: "كم السعر؟" });
  const answer = await api.sendMessage(ZAINAB.id, "١٠", {
    reply_parameters: { message_id: question.messageId },
  });
  expect(answer.reply_to_message).toMatchObject({
    message_id: question.messageId,
    text: "كم السعر؟",
  });
  const next = await api.sendMessage(ZAINAB.id, "see above", {
    reply_parameters: { message_id: answer.message_id },
  });
  expect(next.reply_to_message).not.toHaveProperty("reply_to_message");
  expect(
    await refusal(api.sendMessage(ZAINAB.id, "x", { reply_parameters: { message_id: 4040 } })),
  ).toMatchObject({ description: "Bad Request: message to be replied not found" });
  const free = await api.sendMessage(ZAINAB.id, "x", {
    reply_parameters: { message_id: 4040, allow_sending_without_reply: true },
  });
  expect(free.reply_to_message).toBeUndefined();
});

test("an edit changes the message; the same text again is not modified", async () => {
  const sent = await api.sendMessage(ZAINAB.id, "before");
  expect(await api.editMessageText(ZAINAB.id, sent.message_id, "after")).toMatchObject({
    text: "after",
    edit_date: expect.any(Number),
  });
  expect(
    (await refusal(api.editMessageText(ZAINAB.id, sent.message_id, "after"))).description,
  ).toMatch(/^Bad Request: message is not modified:/);
  expect((await refusal(api.editMessageText(ZAINAB.id, 999, "after"))).description).toBe(
    "Bad Request: message to edit not found",
  );
  expect((await refusal(api.editMessageText(ZAINAB.id, 1, "after"))).description).toBe(
    "Bad Request: message can't be edited",
  );
});

test("a message can be deleted for 48 hours", async () => {
  const young = await api.sendMessage(ZAINAB.id, "young");
  expect(await api.deleteMessage(ZAINAB.id, young.message_id)).toBe(true);
  expect((await refusal(api.deleteMessage(ZAINAB.id, young.message_id))).description).toBe(
    "Bad Request: message to delete not found",
  );
  const old = await api.sendMessage(ZAINAB.id, "old");
  standIn.clock.advance(49 * 3_600_000);
  expect((await refusal(api.deleteMessage(ZAINAB.id, old.message_id))).description).toBe(
    "Bad Request: message can't be deleted",
  );
});

test("a pressed button reaches the bot, which may answer for 150 seconds", async () => {
  const sent = await api.sendMessage(ZAINAB.id, "Confirm?", {
    reply_markup: { inline_keyboard: [[{ text: "نعم", callback_data: "ok:18" }]] },
  });
  const id = standIn.personPresses({
    personId: ZAINAB.id,
    botId,
    messageId: sent.message_id,
    data: "ok:18",
  });
  expect(await api.getUpdates({ allowed_updates: ["callback_query"] })).toMatchObject([
    { callback_query: { id, data: "ok:18", message: { message_id: sent.message_id } } },
  ]);
  expect(await api.answerCallbackQuery(id)).toBe(true);
  standIn.clock.advance(151_000);
  expect((await refusal(api.answerCallbackQuery(id))).description).toMatch(/query is too old/);
  const tooLong = { inline_keyboard: [[{ text: "x", callback_data: "ب".repeat(33) }]] };
  expect(
    (await refusal(api.sendMessage(ZAINAB.id, "x", { reply_markup: tooLong }))).description,
  ).toBe("Bad Request: BUTTON_DATA_INVALID");
});

test("typing is told to the phone", async () => {
  const seen: string[] = [];
  standIn.onChange((change) => seen.push(change.type));
  expect(await api.sendChatAction(ZAINAB.id, "typing")).toBe(true);
  expect(seen).toEqual(["typing"]);
  expect(
    (await call(`${standIn.url}/bot${token}/sendChatAction?chat_id=${ZAINAB.id}&action=dance`))
      .status,
  ).toBe(400);
});

test("getChat tells the person's names", async () => {
  expect(await api.getChat(ZAINAB.id)).toMatchObject({
    id: ZAINAB.id,
    type: "private",
    first_name: "زينب",
    username: "zainab",
  });
});

test("arguments are taken from the query, a form, JSON and multipart; method names in any case", async () => {
  const url = `${standIn.url}/bot${token}`;
  const form = new FormData();
  form.set("chat_id", String(ZAINAB.id));
  form.set("text", "from multipart");
  await call(`${url}/SENDmessage?chat_id=${ZAINAB.id}&text=${encodeURIComponent("من الرابط")}`);
  await fetch(`${url}/sendmessage`, {
    method: "POST",
    body: new URLSearchParams({ chat_id: String(ZAINAB.id), text: "from a form" }),
  });
  await call(`${url}/sendMessage`, { chat_id: String(ZAINAB.id), text: "from JSON" });
  await fetch(`${url}/sendMessage`, { method: "POST", body: form });
  const texts = standIn
    .messagesWith(ZAINAB.id, botId)
    .slice(1)
    .map((message) => message.wire.text);
  expect(texts).toEqual(["من الرابط", "from a form", "from JSON", "from multipart"]);
});

test("tokens and paths are refused as the real server does", async () => {
  const { url } = standIn;
  expect(await call(`${url}/bot${token}x/getMe`)).toMatchObject({
    status: 401,
    body: { ok: false, error_code: 401, description: "Unauthorized" },
  });
  for (const bad of ["0123:abc", "nocolon", `1:${"a".repeat(80)}`]) {
    expect(await call(`${url}/bot${bad}/getMe`)).toMatchObject({
      status: 401,
      body: { description: "Unauthorized: invalid token specified" },
    });
  }
  for (const path of [`/bot${token}`, "/", "/nothing", `/file/bot${token}/documents/file_1.pdf`]) {
    expect(await call(url + path)).toMatchObject({
      status: 404,
      body: { ok: false, error_code: 404, description: "Not Found" },
    });
  }
  expect(await call(`${url}/bot${token}/sendUnicorn`)).toMatchObject({
    status: 404,
    body: { description: "Not Found: method not found" },
  });
});

test("two servers in one process share nothing", async () => {
  const other = await startWithChat();
  try {
    expect((await call(`${other.standIn.url}/bot${token}/getMe`)).status).toBe(401);
    expect(other.standIn.record.calls({ botId })).toHaveLength(1);
    await api.sendMessage(ZAINAB.id, "here only");
    expect(other.standIn.messagesWith(ZAINAB.id, other.botId)).toHaveLength(1);
  } finally {
    await other.standIn.close();
  }
});

test("an opened chat may be written to, and the bot hears nothing of it", async () => {
  standIn.addPerson({ id: 5, firstName: "Mai" });
  standIn.openChat({ personId: 5, botId });
  await api.sendMessage(5, "hello");
  expect(await api.getUpdates()).toEqual([]);
});
