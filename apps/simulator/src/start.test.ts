// The simulator without a browser: where it refuses, what it serves, and that it stops.
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { deliver, receivedEvent, SECRET, startWorld } from "./fixtures/world.ts";
import type { SimulatorWorld } from "./fixtures/world.ts";
import { start } from "./start.ts";

let world: SimulatorWorld;

beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

interface PageState {
  chats: { id: string; messages: { author: string; text: string }[] }[];
  deliveries: {
    n: number;
    name: string;
    event: string | null;
    from: string | null;
    text: string | null;
    signatures: unknown;
  }[];
}

const state = async (): Promise<PageState> => {
  const response = await fetch(`${world.url}/api/state`);
  return (await response.json()) as PageState;
};
const act = (action: string, body: object, type = "application/json"): Promise<Response> =>
  fetch(`${world.url}/api/${action}`, {
    method: "POST",
    headers: { "content-type": type },
    body: JSON.stringify(body),
  });

test("it does not start in production", async () => {
  await expect(
    start({
      environment: "production",
      telegram: { host: "127.0.0.1", port: 0 },
      whatsapp: { host: "127.0.0.1", port: 0 },
    }),
  ).rejects.toThrow("does not run in production");
});

test("settings come from the environment, with every fault listed", () => {
  const given = { PORT: "4000", TELEGRAM_STAND_IN_PORT: "4001", WHATSAPP_STAND_IN_PORT: "4002" };
  expect(readConfig(given)).toEqual({
    environment: "development",
    page: { host: "127.0.0.1", port: 4000 },
    telegram: { host: "127.0.0.1", port: 4001 },
    whatsapp: { host: "127.0.0.1", port: 4002, stateFile: undefined },
  });
  expect(() => readConfig({ PORT: "many", THIKAA_ENV: "prod" })).toThrow(/THIKAA_ENV[\s\S]*PORT/);
});

test("the page and its modules come with strict headers and the right types", async () => {
  for (const [path, type] of [
    ["", "text/html"],
    ["/", "text/html"],
    ["/web/main.ts", "text/javascript"],
    ["/web/page.css", "text/css"],
    ["/web/icon.svg", "image/svg+xml"],
  ] as const) {
    const response = await fetch(world.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
  }
  const code = await (await fetch(`${world.url}/web/store.ts`)).text();
  expect(code).not.toContain("export type");
});

test.each([
  "/web/../package.json",
  "/web/%2e%2e/src/start.ts",
  "/web/tsconfig.json",
  "/nothing",
  "/api/nothing",
])("%s is not there", async (path) => {
  expect((await fetch(world.url + path)).status).toBe(404);
});

test("Zainab has pressed Start with every bot, also with one that comes later, and the bot hears nothing of it", async () => {
  const later = world.simulator.telegram.addBot({ name: "Second" });
  for (const bot of [world.bot, later]) {
    const root = `${world.simulator.telegram.url}/bot${bot.token}`;
    expect((await fetch(`${root}/sendMessage?chat_id=700000001&text=hi`)).status).toBe(200);
    expect(await (await fetch(`${root}/getUpdates`)).json()).toEqual({ ok: true, result: [] });
  }
});

test("message and update ids of a later start are greater than those of an earlier one", async () => {
  const { messageId, updateId } = world.simulator.telegram.personSays({
    personId: 700_000_001,
    botId: world.bot.id,
    text: "one",
  });
  expect(messageId).toBeGreaterThan(200_000_000);
  expect(updateId).toBeLessThan(2 ** 31);
});

test("what Zainab writes reaches the bot; a page of another origin cannot write for her", async () => {
  const chat = `tg-${world.bot.id}`;
  expect((await act("send", { chat, text: "كم السعر؟" })).status).toBe(200);
  expect((await act("send", { chat, text: "forged" }, "text/plain")).status).toBe(415);
  expect((await act("send", { chat: "tg-1", text: "x" })).status).toBe(400);
  expect((await act("send", { chat, text: "x".repeat(4097) })).status).toBe(400);
  expect((await state()).chats[0]?.messages).toMatchObject([
    { author: "person", text: "كم السعر؟" },
  ]);
});

test("deliveries are judged, kept to the last 200, and any body is taken", async () => {
  expect((await deliver(world.url, { body: receivedEvent("مرحبا") })).status).toBe(200);
  await deliver(world.url, { body: receivedEvent("مرحبا"), sent: receivedEvent("مرحباً") });
  await deliver(world.url, { name: "stranger", body: "not JSON" });
  expect((await state()).deliveries).toMatchObject([
    {
      n: 3,
      name: "stranger",
      text: null,
      signatures: { thikaa: "unregistered", standard: "unregistered" },
    },
    { n: 2, name: "demo", signatures: { thikaa: "invalid", standard: "invalid" } },
    {
      n: 1,
      name: "demo",
      event: "message.received",
      from: "زينب",
      text: "مرحبا",
      signatures: { thikaa: "valid", standard: "valid" },
    },
  ]);
  for (let index = 0; index < 200; index += 1) await deliver(world.url, { body: "{}" });
  const { deliveries } = await state();
  expect(deliveries).toHaveLength(200);
  expect(deliveries.at(-1)?.n).toBe(4);
  expect(JSON.stringify(deliveries)).not.toContain(SECRET);
});

test("a delivery larger than the sink takes is refused", async () => {
  const response = await deliver(world.url, { body: "x".repeat(262_145) }).catch(() => null);
  expect(response?.status ?? 413).toBe(413);
  expect((await state()).deliveries).toHaveLength(0);
});

test("stopping ends open event streams and may be asked for twice", async () => {
  const stream = await fetch(`${world.url}/api/events`);
  expect(world.simulator.ready()).toBe(true);
  await Promise.all([world.simulator.stop(), world.simulator.stop()]);
  expect(world.simulator.ready()).toBe(false);
  expect(await stream.text()).toContain("event: ready");
});

test("a file of a chat is served as a picture only when it is one, and never run", async () => {
  const telegram = world.simulator.telegram;
  const who = { personId: 700_000_001, botId: world.bot.id };
  const page = Buffer.from("<script>alert(1)</script>");
  const { fileId } = telegram.personSendsFile({ ...who, kind: "photo", bytes: page });
  const response = await fetch(`${world.url}/api/file?id=tg-${fileId}`);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("content-disposition")).toBe("attachment");
  expect(await response.text()).toBe(page.toString());
  expect((await fetch(`${world.url}/api/file?id=none`)).status).toBe(404);
});
