// What an open bot does beside sending: typing, presses answered, and its webhook taken back when it is no longer wanted.
import { toWireId } from "@thikaa/schema";
import { createMemoryContext, freePort } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connector } from "./connector.ts";
import { addBot, must, World, zainab } from "./fixtures/world.ts";

let world: World;
beforeEach(async () => void (world = await World.create()));
afterEach(() => world.close());

async function posted() {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const base = `http://127.0.0.1:${port}`;
  const http = { host: "127.0.0.1", port, metricsPort };
  const start = () => world.start(telegram, { webhookBase: base, http });
  const service = await start();
  await world.untilState(connection, "connected");
  const url = `${base}/hooks/tg/${toWireId("connection", connection.id)}`;
  return { telegram, bot, connection, url, service, start };
}

test("typing is shown in the chat of a person, and of a business account", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const businessId = telegram.connectBusiness({ botId: bot.id, ownerId: zainab.id });
  telegram.saysToBusiness({ businessId, personId: zainab.id, text: "؟" });
  const context = createMemoryContext({
    baseUrl: telegram.url,
    credentials: { token: bot.token },
  });
  const account = await connector.connect(context);
  const { typing } = account;
  const until = AbortSignal.timeout(5_000);
  await typing?.show(String(zainab.id), until);
  await typing?.show(`${zainab.id}/${businessId}`, until);
  expect(
    telegram.record
      .calls({ method: "sendChatAction", accepted: true })
      .map(({ parameters }) => parameters),
  ).toEqual([
    { chat_id: String(zainab.id), action: "typing" },
    { chat_id: String(zainab.id), action: "typing", business_connection_id: businessId },
  ]);
  await account.disconnect();
  context.end();
});

test("in webhook mode a press is answered in the answer to the post", async () => {
  const { telegram, bot, connection } = await posted();
  const buttons = [{ id: "a", title: "أ" }];
  const content = { text: "اختر", media: null, buttons };
  await world.untilStatus(await world.queue(connection, zainab.id, content), "sent");
  const { wire } = must(telegram.messagesWith(zainab.id, bot.id).at(-1));
  const who = { personId: zainab.id, botId: bot.id };
  const id = telegram.personPresses({ ...who, messageId: wire.message_id, data: "a" });
  await telegram.record.until(
    () => telegram.record.calls({ method: "answerCallbackQuery", accepted: true }).length === 1,
  );
  expect(telegram.record.calls({ method: "answerCallbackQuery" })[0]?.parameters).toMatchObject({
    callback_query_id: id,
  });
});

test.each(["off", "removed"] as const)(
  "a connection that is %s takes its webhook back",
  async (desired) => {
    const { telegram, connection } = await posted();
    await world.want(connection, desired);
    await world.untilState(connection, "off");
    expect(telegram.record.calls({ method: "deleteWebhook", accepted: true })).toHaveLength(1);
  },
);

test("a connection that goes off while no process runs it takes its webhook back with the next one", async () => {
  const { telegram, connection, service, start } = await posted();
  await service.stop();
  await world.want(connection, "removed");
  await start();
  await world.untilState(connection, "off");
  expect(telegram.record.calls({ method: "deleteWebhook", accepted: true })).toHaveLength(1);
});

test("a connection that goes off while it needs a person takes its webhook back", async () => {
  const { telegram, bot, connection } = await posted();
  const once = { kind: "error", status: 401, description: "Unauthorized" } as const;
  telegram.faults.add({ ...once, method: "sendMessage", botId: bot.id });
  await world.queue(connection, zainab.id, { text: "refused", media: null });
  await world.untilState(connection, "attention");
  await world.want(connection, "off");
  await world.untilState(connection, "off");
  expect(telegram.record.calls({ method: "deleteWebhook", accepted: true })).toHaveLength(1);
});

test("while Telegram can't be reached a connection is not off yet, and says so; then it is", async () => {
  const { telegram, bot, connection } = await posted();
  telegram.faults.add({ kind: "server_error", method: "getWebhookInfo", botId: bot.id });
  await world.want(connection, "off");
  await world.untilState(connection, "recovering");
  await world.untilState(connection, "off");
  expect(telegram.record.calls({ method: "deleteWebhook", accepted: true })).toHaveLength(1);
});

test("a token that Telegram does not take any more keeps no connection from going off", async () => {
  const { telegram, bot, connection } = await posted();
  telegram.faults.add({ kind: "revoked", method: "getWebhookInfo", botId: bot.id });
  await world.want(connection, "off");
  await world.untilState(connection, "off");
  expect(telegram.record.calls({ method: "deleteWebhook" })).toEqual([]);
});

test("a connection that gets another bot takes the webhook back from the former one", async () => {
  const { telegram, bot, connection, url } = await posted();
  const next = addBot(telegram);
  await world.giveToken(connection, next.token);
  await telegram.record.until(
    () => telegram.record.calls({ method: "setWebhook", botId: next.id }).length === 1,
  );
  await world.untilState(connection, "connected");
  expect(telegram.record.calls({ method: "deleteWebhook", botId: bot.id })).toHaveLength(1);
  const info = await fetch(`${telegram.url}/bot${next.token}/getWebhookInfo`);
  expect(await info.json()).toMatchObject({ result: { url } });
});

test("a webhook that another program has set meanwhile stays", async () => {
  const { telegram, bot, connection } = await posted();
  telegram.clock.advance(1_001);
  const other = "http://127.0.0.1:9/other";
  await fetch(`${telegram.url}/bot${bot.token}/setWebhook?url=${encodeURIComponent(other)}`);
  await world.want(connection, "off");
  await world.untilState(connection, "off");
  expect(telegram.record.calls({ method: "getWebhookInfo", accepted: true })).toHaveLength(1);
  expect(telegram.record.calls({ method: "deleteWebhook" })).toEqual([]);
});

test("a process that ends leaves the webhook to whoever takes the connection over", async () => {
  const { telegram, service } = await posted();
  await service.stop();
  expect(telegram.record.calls({ method: "deleteWebhook" })).toEqual([]);
});
