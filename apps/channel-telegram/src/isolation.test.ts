// One connection's trouble is no other's: two servers in one process, dead tokens, a token used twice.
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "@thikaa/testkit";
import { addBot, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

const started = ["/start", "/start"];

test("a live and a sandbox connection in one process talk to their own servers, and neither sees the other's token", async () => {
  const [live, sandbox] = [await world.standIn(), await world.standIn()];
  // Both servers number their bots alike: the same address in two worlds is no conflict.
  const [liveBot, sandboxBot] = [addBot(live), addBot(sandbox)];
  const [liveConnection, sandboxConnection] = [
    await world.connect(liveBot.token),
    await world.connect(sandboxBot.token, "sandbox"),
  ];
  await world.start(live, { baseUrls: { live: live.url, sandbox: `${sandbox.url}/` } });
  await world.untilStatus(await world.queue(liveConnection, zainab.id, "to the live one"), "sent");
  await world.untilStatus(
    await world.queue(sandboxConnection, zainab.id, "to the sandbox"),
    "sent",
  );
  expect(live.messagesWith(zainab.id, liveBot.id).at(-1)?.wire.text).toBe("to the live one");
  expect(sandbox.messagesWith(zainab.id, sandboxBot.id).at(-1)?.wire.text).toBe("to the sandbox");
  expect(live.record.calls().filter((call) => call.botId === null)).toEqual([]);
  expect(sandbox.record.calls().filter((call) => call.botId === null)).toEqual([]);
});

test("without a stand-in, a sandbox connection says that the sandbox is closed and calls nobody", async () => {
  const telegram = await world.standIn();
  const connection = await world.connect(addBot(telegram).token, "sandbox");
  await world.start(telegram);
  expect((await world.untilState(connection, "attention")).reason?.code).toBe("sandbox_closed");
  expect(telegram.record.calls()).toEqual([]);
});

test("a bot whose token dies goes to attention, its messages wait, and the other works on", async () => {
  const telegram = await world.standIn();
  const [dying, healthy] = [addBot(telegram), addBot(telegram)];
  const [first, second] = [await world.connect(dying.token), await world.connect(healthy.token)];
  await world.start(telegram);
  await world.untilTexts(first, started);
  telegram.revokeToken(dying.id);
  const row = await world.untilState(first, "attention");
  expect(row.reason).toMatchObject({
    code: "token_refused",
    message: expect.stringContaining("@BotFather"),
  });
  const waiting = await world.queue(first, zainab.id, "not yet");
  await world.untilStatus(await world.queue(second, zainab.id, "the other one works"), "sent");
  expect(await world.message(waiting)).toMatchObject({ status: "queued", final: false });
  expect((await world.connection(second)).state).toBe("connected");

  // Its owner gives it another token, and everything goes on.
  const next = addBot(telegram);
  await world.giveToken(first, next.token);
  await world.untilState(first, "connected");
  await world.untilStatus(waiting, "sent");
});

test("a send that finds the token dead puts the connection to attention and keeps the message", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilState(connection, "connected");
  telegram.faults.add({
    kind: "error",
    status: 401,
    description: "Unauthorized",
    method: "sendMessage",
  });
  const id = await world.queue(connection, zainab.id, "kept");
  await world.untilState(connection, "attention");
  const kept = await waitFor(
    async () => {
      const message = await world.message(id);
      return message.reason !== null && message;
    },
    { what: "the outcome to be written", deadlineMs: 15_000 },
  );
  expect(kept).toMatchObject({
    status: "queued",
    final: false,
    reason: { code: "token_refused" },
  });
  expect(telegram.record.calls({ method: "sendMessage" })).toHaveLength(1);
  await world.giveToken(connection, bot.token);
  await world.untilStatus(id, "sent");
});

test("the same token twice is refused, and the first connection keeps its updates", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const first = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilTexts(first, started);
  const callsBefore = telegram.record.calls({ method: "deleteWebhook" }).length;
  const second = await world.connect(bot.token);
  expect((await world.untilState(second, "attention")).reason?.code).toBe("account_in_use");
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "still mine" });
  await world.untilTexts(first, [...started, "still mine"]);
  expect(await world.inbound(second)).toEqual([]);
  expect(telegram.record.overlappingPolls(bot.id)).toBe(0);
  expect(telegram.record.calls({ method: "deleteWebhook" })).toHaveLength(callsBefore);
});

test("credentials that can't be opened or read need a person, and nobody is called", async () => {
  const telegram = await world.standIn();
  const [unsealed, shapeless] = [
    await world.connect("7100200300:AAE"),
    await world.connect("no colon in it"),
  ];
  await world.database.query({
    text: "UPDATE connections SET credentials_sealed = 'v1.k1.x.y' WHERE id = $1",
    values: [unsealed.id],
  });
  await world.start(telegram);
  expect((await world.untilState(unsealed, "attention")).reason?.code).toBe(
    "credentials_unreadable",
  );
  expect((await world.untilState(shapeless, "attention")).reason).toEqual({
    code: "credentials_invalid",
    message: "The credentials are not complete or not well-formed: token. Give them again.",
  });
  expect(telegram.record.calls()).toEqual([]);
});

test("a connection that is switched off stops polling, and on again it goes on", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilTexts(connection, started);
  await world.want(connection, "off");
  await world.untilState(connection, "off");
  await waitFor(
    () =>
      telegram.record.calls({ method: "getUpdates" }).every((call) => call.outcome !== "pending"),
    { what: "the poll to end" },
  );
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "is anybody there?" });
  await world.want(connection, "on");
  await world.untilTexts(connection, [...started, "is anybody there?"]);
});

test("what is switched off while nobody runs it is shown as off at the next start", async () => {
  const telegram = await world.standIn();
  const connection = await world.connect(addBot(telegram).token);
  await world.want(connection, "off");
  await world.start(telegram);
  await world.untilState(connection, "off");
  expect(telegram.record.calls()).toEqual([]);
});

test("no bot token and no person's words stand in the log at debug, also when everything fails", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  await world.start(telegram);
  await world.untilState(connection, "connected");
  telegram.faults.add({ kind: "reset_after_accept", method: "sendMessage" });
  telegram.faults.add({ kind: "server_error", status: 502, method: "getUpdates", times: 2 });
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "canary of a customer" });
  await world.untilStatus(await world.queue(connection, zainab.id, "canary of a store"), "sent");
  telegram.revokeToken(bot.id);
  await world.untilState(connection, "attention");
  await telegram.close();
  const log = world.logLines.join("\n");
  expect(log).not.toContain(bot.token);
  expect(log).not.toContain(bot.token.split(":")[1]);
  expect(log).not.toContain("canary");
  const { rows } = await world.database.query<{ text: string }>({
    text: "SELECT coalesce(reason::text, '') || display::text AS text FROM connections UNION ALL SELECT detail::text FROM attempts UNION ALL SELECT coalesce(reason::text, '') FROM messages",
  });
  expect(rows.map((row) => row.text).join("\n")).not.toContain(bot.token);
});
