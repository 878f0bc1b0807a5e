// Telegram, the network and PostgreSQL in trouble: what is sent again, what is not, and what waits.
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort, startFaultProxy, waitFor } from "@thikaa/testkit";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import { addBot, mai, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

async function running() {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const service = await world.start(telegram);
  await world.untilState(connection, "connected");
  return { telegram, bot, connection, service };
}

test("a recipient who is told to wait delays no other, and gets the message after the wait", async () => {
  const { telegram, connection } = await running();
  telegram.faults.add({
    kind: "throttled",
    retryAfter: 3,
    method: "sendMessage",
    chatId: zainab.id,
  });
  const throttled = await world.queue(connection, zainab.id, "slow");
  await waitFor(async () => (await world.message(throttled)).reason?.code === "throttled", {
    what: "the message to be throttled",
  });
  await world.untilStatus(await world.queue(connection, mai.id, "fast"), "sent");
  expect((await world.message(throttled)).status).toBe("queued");
  await world.untilStatus(throttled, "sent");
  const calls = telegram.record.calls({ method: "sendMessage", chatId: zainab.id });
  expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
});

test("when Telegram throttles the bot as a whole, the connection is limited, waits, and goes on by itself", async () => {
  const { telegram, connection } = await running();
  telegram.faults.add({ kind: "throttled", retryAfter: 4, method: "sendMessage", times: 2 });
  const ids = [
    await world.queue(connection, zainab.id, "one"),
    await world.queue(connection, mai.id, "two"),
  ];
  expect((await world.untilState(connection, "limited")).reason?.code).toBe("throttled");
  for (const id of ids) await world.untilStatus(id, "sent");
  await world.untilState(connection, "connected");
});

test("when the answer is lost after Telegram took the message, it is sent again and flagged", async () => {
  const { telegram, connection } = await running();
  telegram.faults.add({ kind: "reset_after_accept", method: "sendMessage" });
  const id = await world.queue(connection, zainab.id, "perhaps twice");
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: true });
  expect(telegram.record.calls({ method: "sendMessage", accepted: true })).toHaveLength(2);
});

test("an error that Telegram answers in its own form is tried again without a flag", async () => {
  const { telegram, connection } = await running();
  telegram.faults.add({ kind: "server_error", status: 500, method: "sendMessage" });
  const id = await world.queue(connection, zainab.id, "once");
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: false });
  expect(telegram.record.calls({ method: "sendMessage", accepted: true })).toHaveLength(1);
});

test("a person who blocked the bot, and an id nobody has, fail at once with the reason", async () => {
  const { telegram, bot, connection } = await running();
  telegram.personBlocks({ personId: zainab.id, botId: bot.id });
  expect(
    await world.untilStatus(await world.queue(connection, zainab.id, "hello"), "failed"),
  ).toMatchObject({ final: true, reason: { code: "blocked_by_recipient", provider_code: "403" } });
  expect(
    (await world.untilStatus(await world.queue(connection, 999, "hello"), "failed")).reason,
  ).toMatchObject({
    code: "recipient_unreachable",
    provider_message: "Bad Request: chat not found",
  });
  expect(
    (await world.untilStatus(await world.queue(connection, "not an id", "hello"), "failed")).reason
      ?.code,
  ).toBe("invalid_recipient");
});

test("a bot is recovering while its server is away, its messages wait, and it goes on by itself", async () => {
  const home = await world.standIn();
  const port = await freePort();
  const bot = addBot(home);
  const connection = await world.connect(bot.token);
  await world.start(home, { baseUrls: { live: `http://127.0.0.1:${port}`, sandbox: null } });
  const row = await world.untilState(connection, "recovering");
  expect(row.reason).toMatchObject({
    code: "provider_unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
  const id = await world.queue(connection, zainab.id, "later");
  const telegram = await startTelegramStandIn({
    port,
    people: [zainab],
    bots: [{ token: bot.token }],
  });
  world.closeLater(() => telegram.close());
  telegram.personStarts({ personId: zainab.id, botId: bot.id });
  await world.untilStatus(id, "sent");
  expect((await world.connection(connection)).state).toBe("connected");
});

test("a second program that polls the same bot is said in plain words, and does not stop ours", async () => {
  const { telegram, bot, connection } = await running();
  await world.untilTexts(connection, ["/start", "/start"]);
  await waitFor(
    () => telegram.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
    { what: "a poll that waits for what comes" },
  );
  telegram.faults.add({
    kind: "error",
    status: 409,
    description:
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    method: "getUpdates",
  });
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "wakes the open poll" });
  expect((await world.untilState(connection, "recovering")).reason).toMatchObject({
    code: "conflict",
    message: expect.stringContaining("Another program"),
  });
  // Nobody writes now: that the bot hears again must show by itself, before a long poll ends.
  await world.untilState(connection, "connected");
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "and on" });
  await waitFor(async () => (await world.texts(connection)).at(-1) === "and on", {
    what: "the next text",
  });
});

test("while PostgreSQL is away no outcome and no update is lost, and nothing is sent or stored twice", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const proxy = await startFaultProxy({ target: world.databaseUrl });
  world.closeLater(() => proxy.close());
  await world.start(telegram, { databaseUrl: world.databaseUrlBy(proxy) });
  await world.untilTexts(connection, ["/start", "/start"]);
  const slow = telegram.faults.add({ kind: "delay", delayMs: 1_000, method: "sendMessage" });
  const id = await world.queue(connection, zainab.id, "answered while the database is away");
  await waitFor(() => slow.hits === 1, { what: "the call to begin" });
  await proxy.set({ kind: "refuse" });
  await proxy.set({ kind: "reset" });
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "came while it was away" });
  await waitFor(() => telegram.record.calls({ method: "sendMessage" })[0]?.outcome === "answered", {
    what: "the call to be answered",
  });
  await waitFor(
    // Whichever work meets it first says it for all.
    () => world.logLines.some((line) => line.includes("PostgreSQL can't serve just now")),
    { what: "the outage to be met" },
  );
  await proxy.set({ kind: "pass" });
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: false });
  await world.untilTexts(connection, ["/start", "/start", "came while it was away"]);
  expect(telegram.record.calls({ method: "sendMessage" })).toHaveLength(1);
});
