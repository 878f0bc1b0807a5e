// Webhook mode: Telegram posts to us; what is not proven is refused, what is stored is stored once.
import { createServer } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toWireId } from "@thikaa/schema";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { freePort, startFaultProxy, waitFor } from "@thikaa/testkit";
import { webhookBaseOf } from "./config.ts";
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
  await world.start(telegram, { webhookBase: base, http });
  await world.untilState(connection, "connected");
  return {
    telegram,
    bot,
    connection,
    base,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    url: `${base}/hooks/tg/${toWireId("connection", connection.id)}`,
  };
}

const json = { "content-type": "application/json" };
const update = JSON.stringify({
  update_id: 900,
  message: {
    message_id: 7,
    date: 1_781_000_000,
    chat: { id: zainab.id, type: "private" },
    from: { id: zainab.id, is_bot: false, first_name: "Z" },
    text: "forged",
  },
});

test("only an https address of ours makes bots post; otherwise they are polled", () => {
  expect(webhookBaseOf("https://shop.example/")).toBe("https://shop.example");
  expect(webhookBaseOf("http://shop.example")).toBeNull();
  expect(webhookBaseOf(undefined)).toBeNull();
});

test("in webhook mode updates are posted with our secret, stored, and nothing is polled", async () => {
  const { telegram, bot, connection, url } = await posted();
  await world.untilTexts(connection, ["/start", "/start"]);
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "بالويب هوك" });
  await world.untilTexts(connection, ["/start", "/start", "بالويب هوك"]);
  expect(telegram.record.calls({ method: "getUpdates" })).toEqual([]);
  expect(must(telegram.record.calls({ method: "setWebhook" })[0]).parameters).toMatchObject({
    url,
    secret_token: world.webhookSecret,
  });
  await untilAnswered(telegram, bot.id, 3);
  expect(telegram.record.webhookAttempts(bot.id).map((attempt) => attempt.status)).toEqual([
    200, 200, 200,
  ]);
});

test("sending works in webhook mode too", async () => {
  const { connection } = await posted();
  const sent = await world.untilStatus(await world.queue(connection, zainab.id, "out"), "sent");
  expect(sent.final).toBe(true);
});

test("the same update posted twice is stored once, and both times answered with an empty 200", async () => {
  const { connection, url } = await posted();
  await world.untilTexts(connection, ["/start", "/start"]);
  for (const _ of [1, 2]) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { ...json, "x-telegram-bot-api-secret-token": world.webhookSecret },
      body: update,
    });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  }
  expect(await world.texts(connection)).toEqual(["/start", "/start", "forged"]);
});

test("a missing or wrong secret is 401 and nothing is stored", async () => {
  const { connection, url } = await posted();
  await world.untilTexts(connection, ["/start", "/start"]);
  for (const secret of [undefined, "", "wrong", `${world.webhookSecret}x`]) {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        ...json,
        ...(secret === undefined ? {} : { "x-telegram-bot-api-secret-token": secret }),
      },
      body: update,
    });
    expect(answer.status).toBe(401);
  }
  expect(await world.inbound(connection)).toHaveLength(2);
  const { rows } = await world.database.query({
    text: "SELECT 1 FROM inbound_keys WHERE key = '900'",
  });
  expect(rows).toEqual([]);
});

test("a proven body that is no update is kept whole", async () => {
  const { connection, url } = await posted();
  await world.untilTexts(connection, ["/start", "/start"]);
  const body = Buffer.from([0xff, 0x00, 0x7b]);
  const answer = await fetch(url, {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": world.webhookSecret },
    body,
  });
  expect(answer.status).toBe(200);
  const kept = must((await world.inbound(connection))[2]);
  expect(kept.raw).toEqual(body);
  expect(kept.converted).toEqual({ kind: "notice", reason: "unreadable", raw_type: null });
});

test("unknown connections, other methods and huge bodies are refused", async () => {
  const { base, metricsUrl, url } = await posted();
  const headers = { "x-telegram-bot-api-secret-token": world.webhookSecret };
  const statusOf = async (address: string, init: RequestInit) =>
    (await fetch(address, init)).status;
  expect(
    await statusOf(
      `${base}/hooks/tg/${toWireId("connection", "01900000-0000-7000-8000-000000000000")}`,
      { method: "POST", headers, body: "{}" },
    ),
  ).toBe(404);
  expect(await statusOf(url.replace("/tg/", "/wa/"), { method: "POST", headers, body: "{}" })).toBe(
    404,
  );
  expect(await statusOf(`${base}/hooks/tg/nonsense`, { method: "POST", headers, body: "{}" })).toBe(
    404,
  );
  expect(await statusOf(url, { method: "GET" })).toBe(405);
  expect(
    await statusOf(url, { method: "POST", headers, body: "x".repeat(1_048_577) }).catch(() => 413),
  ).toBe(413);
  expect(await statusOf(`${base}/readyz`, {})).toBe(200);
  expect(await (await fetch(metricsUrl)).text()).toMatch(
    /thikaa_connector_connections\{[^}]*state="connected"[^}]*\} 1/,
  );
});

test("while PostgreSQL is away a post is 503, and Telegram brings the update again", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const [port, proxy] = [await freePort(), await startFaultProxy({ target: world.databaseUrl })];
  world.closeLater(() => proxy.close());
  await world.start(telegram, {
    databaseUrl: world.databaseUrlBy(proxy),
    webhookBase: `http://127.0.0.1:${port}`,
    http: { host: "127.0.0.1", port },
  });
  await world.untilTexts(connection, ["/start", "/start"]);
  await proxy.set({ kind: "refuse" });
  await proxy.set({ kind: "reset" });
  telegram.personSays({ personId: zainab.id, botId: bot.id, text: "kept by Telegram" });
  await waitFor(
    () => telegram.record.webhookAttempts(bot.id).some((attempt) => attempt.status === 503),
    { what: "the refusal" },
  );
  await proxy.set({ kind: "pass" });
  telegram.clock.advance(120_000);
  await world.untilTexts(connection, ["/start", "/start", "kept by Telegram"]);
});

test("the same listener answers when another server hands it the requests", async () => {
  const telegram = await world.standIn();
  const bot = addBot(telegram);
  const connection = await world.connect(bot.token);
  const port = await freePort();
  const service = await world.start(telegram, {
    webhookBase: `http://127.0.0.1:${port}`,
    http: null,
  });
  const server = createServer((request, response) => service.handle?.(request, response)).listen(
    port,
    "127.0.0.1",
  );
  world.closeLater(async () => {
    server.closeAllConnections();
    server.close();
  });
  await world.untilTexts(connection, ["/start", "/start"]);
  await untilAnswered(telegram, bot.id, 2);
  expect(telegram.record.webhookAttempts(bot.id)).toMatchObject([{ status: 200 }, { status: 200 }]);
});

/** An update is stored a moment before it is answered, and its answer is on record a moment after that. */
function untilAnswered(telegram: TelegramStandIn, botId: number, posts: number): Promise<void> {
  return telegram.record.until(() => telegram.record.webhookAttempts(botId).length === posts);
}
