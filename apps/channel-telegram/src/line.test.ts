// Texts out and in through the running app: real PostgreSQL, real NATS, the Telegram stand-in.
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "@thikaa/testkit";
import { addBot, mai, must, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

const started = ["/start", "/start"];

test("an Arabic text reaches the person, and the message says so with Telegram's id", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const service = await world.start(telegram);
  const id = await world.queue(connection, zainab.id, "مرحبا زينب 👋");
  expect(await world.untilStatus(id, "sent")).toMatchObject({
    final: true,
    possible_duplicate: false,
    reason: null,
  });
  const onPhone = must(telegram.messagesWith(zainab.id, bot.id).at(-1));
  expect(onPhone).toMatchObject({ author: "bot", wire: { text: "مرحبا زينب 👋" } });
  const { rows } = await world.database.query({
    text: "SELECT provider_message_id, status FROM parts WHERE message_id = $1",
    values: [id],
  });
  expect(rows).toEqual([{ provider_message_id: String(onPhone.wire.message_id), status: "sent" }]);
  expect(service.ready()).toBe(true);
});

test("the connection shows the bot's id, name and link", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  expect(await world.untilState(connection, "connected")).toMatchObject({
    address: String(bot.id),
    display: { name: "Shop Desk", link: `https://t.me/${bot.username}` },
    reason: null,
  });
});

test("the app tells what the channel can carry and which credentials it needs", async () => {
  await world.start(await world.standIn());
  const { rows } = await world.database.query({
    text: "SELECT channel, description FROM channel_descriptions",
  });
  expect(rows).toMatchObject([
    {
      channel: "tg",
      description: {
        capabilities: { receipts: "none" },
        credentials: [{ name: "token", level: "connection", secret: true, required: true }],
      },
    },
  ]);
});

test("what a person writes is stored once, with its raw form, in order", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilTexts(connection, started);
  const said = telegram.personSays({ personId: zainab.id, botId: bot.id, text: "كم السعر؟" });
  telegram.personEdits({
    personId: zainab.id,
    botId: bot.id,
    messageId: said.messageId,
    text: "كم سعره؟",
  });
  await world.untilTexts(connection, [...started, "كم السعر؟", "كم سعره؟"]);
  const [, , first, edit] = await world.inbound(connection);
  expect(first).toMatchObject({
    key: String(said.updateId),
    thread: String(zainab.id),
    converted: {
      kind: "message",
      type: "text",
      from: String(zainab.id),
      contact: { name: "زينب", username: "zainab", locale: "ar" },
      provider_message_id: String(said.messageId),
      edited: false,
    },
  });
  expect(edit?.converted).toMatchObject({
    type: "edit",
    edited: true,
    provider_message_id: String(said.messageId),
  });
  expect(JSON.parse(must(first).raw.toString("utf8"))).toMatchObject({
    update_id: said.updateId,
    message: { text: "كم السعر؟" },
  });
});

test("a block is told with whom it was", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilTexts(connection, started);
  telegram.personBlocks({ personId: zainab.id, botId: bot.id });
  const block = await waitFor(async () => (await world.inbound(connection))[2], {
    what: "the block",
  });
  expect(block.converted).toEqual({
    kind: "block",
    from: String(zainab.id),
    contact: { name: "زينب", phone: null, username: "zainab", locale: "ar" },
    blocked: true,
  });
});

test("a long text goes out in parts, in order, and nothing of it is lost", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  const text = Array.from({ length: 1_500 }, (_, index) => `كلمة${index}`).join(" ");
  await world.untilStatus(await world.queue(connection, zainab.id, text), "sent");
  const parts = telegram
    .messagesWith(zainab.id, bot.id)
    .filter((message) => message.author === "bot")
    .map((message) => message.wire.text);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.join(" ")).toBe(text);
});

test("messages to one person keep their order", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const texts = Array.from({ length: 12 }, (_, index) => `number ${index}`);
  const ids: string[] = [];
  for (const text of texts) ids.push(await world.queue(connection, zainab.id, text));
  await world.start(telegram);
  await world.untilStatus(must(ids.at(-1)), "sent");
  expect(
    telegram.record.calls({ method: "sendMessage" }).map((call) => call.parameters["text"]),
  ).toEqual(texts);
});

test("after a restart nothing is lost and nothing comes twice, in either direction", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const first = await world.start(telegram);
  await world.untilTexts(connection, started);
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "before" });
  await world.untilTexts(connection, [...started, "before"]);
  const slow = telegram.faults.add({ kind: "delay", delayMs: 1_000, method: "sendMessage" });
  const inFlight = await world.queue(connection, zainab.id, "in flight");
  await waitFor(() => slow.hits === 1, { what: "the call to begin" });
  await first.stop();
  expect((await world.message(inFlight)).status).toBe("sent");
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "meanwhile" });
  const waiting = await world.queue(connection, mai.id, "waiting");
  await world.start(telegram);
  await world.untilStatus(waiting, "sent");
  await world.untilTexts(connection, [...started, "before", "meanwhile"]);
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "after" });
  await world.untilTexts(connection, [...started, "before", "meanwhile", "after"]);
  expect(
    telegram.record
      .calls({ method: "sendMessage", accepted: true })
      .map((call) => call.parameters["text"]),
  ).toEqual(["in flight", "waiting"]);
  expect(telegram.record.overlappingPolls(bot.id)).toBe(0);
});

test("a stopped app has given its connections back and says so", async () => {
  const telegram = await world.standIn();
  const connection = await world.connect(addBot(telegram).token);
  const service = await world.start(telegram);
  await world.untilState(connection, "connected");
  await service.stop();
  expect(service.ready()).toBe(false);
  expect(await world.connection(connection)).toMatchObject({
    state: "recovering",
    reason: { code: "moving" },
  });
  const { rows } = await world.database.query({
    text: "SELECT worker FROM assignments UNION ALL SELECT id FROM workers",
  });
  expect(rows).toEqual([{ worker: null }]);
});
