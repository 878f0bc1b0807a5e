// How a bot receives by webhook: the secret, order, retries, 410, and what getWebhookInfo says.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Api, Bot, webhookCallback } from "grammy";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, startReceiver, startWithChat, ZAINAB } from "./fixtures/world.ts";

let standIn: TelegramStandIn;
let botId: number;
let token: string;
let api: Api;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  ({ standIn, botId, token } = await startWithChat());
  api = new Api(token, { apiRoot: standIn.url });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await standIn.close();
});

const says = (text: string, personId = ZAINAB.id): void =>
  void standIn.personSays({ personId, botId, text });
const attempts = (): { status: number | null; updateId: number }[] =>
  standIn.record.webhookAttempts(botId);
const receiver = async (
  answer: Parameters<typeof startReceiver>[0],
): ReturnType<typeof startReceiver> => {
  const started = await startReceiver(answer);
  closers.push(started.close);
  return started;
};

test("grammY's webhook handler receives an update with the right secret and refuses a wrong one", async () => {
  const bot = new Bot(token, { client: { apiRoot: standIn.url } });
  const texts: string[] = [];
  bot.on("message:text", (context) => void texts.push(context.message.text));
  const handle = webhookCallback(bot, "http", { secretToken: "Zk3_aB-91" });
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  await api.setWebhook(url, { secret_token: "Zk3_aB-91" });
  says("مرحبا");
  await standIn.record.until(() => attempts().length === 1);
  expect(texts).toEqual(["مرحبا"]);
  expect(attempts()).toMatchObject([{ status: 200, error: null }]);

  standIn.clock.advance(1001);
  await api.setWebhook(url, { secret_token: "another" });
  says("forged");
  await standIn.record.until(() => attempts().length === 2);
  expect(attempts().at(-1)).toMatchObject({ status: 401 });
  expect(texts).toEqual(["مرحبا"]);
});

test("a delivery carries the update, the secret header and nothing of the token", async () => {
  const hook = await receiver(() => ({ status: 204 }));
  await api.setWebhook(hook.url, { secret_token: "s" });
  says("hello");
  await standIn.record.until(() => attempts().length === 1);
  expect(hook.received[0]?.headers).toMatchObject({
    "x-telegram-bot-api-secret-token": "s",
    "content-type": "application/json",
    "accept-encoding": "gzip, deflate",
  });
  expect(hook.received[0]?.body).toMatchObject({
    update_id: expect.any(Number),
    message: { text: "hello", chat: { id: ZAINAB.id } },
  });
  expect(JSON.stringify(hook.received)).not.toContain(token);
});

test("a failure is sent again at once, then after 2, 4, 8 seconds; getWebhookInfo tells why", async () => {
  const hook = await receiver((_received, count) => ({ status: count <= 4 ? 500 : 200 }));
  await api.setWebhook(hook.url);
  says("hello");
  await standIn.record.until(() => attempts().length === 2);
  for (const [index, seconds] of [2, 4, 8].entries()) {
    standIn.clock.advance(seconds * 1000 - 500);
    expect(attempts()).toHaveLength(index + 2);
    standIn.clock.advance(501);
    await standIn.record.until(() => attempts().length === index + 3);
    if (index === 0) {
      expect(await api.getWebhookInfo()).toMatchObject({
        url: hook.url,
        pending_update_count: 1,
        max_connections: 40,
        last_error_date: expect.any(Number),
        last_error_message: "Wrong response from the webhook: 500 Internal Server Error",
      });
    }
  }
  expect(attempts().map((attempt) => attempt.status)).toEqual([500, 500, 500, 500, 200]);
  expect(await api.getWebhookInfo()).toMatchObject({ pending_update_count: 0 });
});

test("Retry-After of the endpoint replaces the back-off", async () => {
  const hook = await receiver((_received, count) =>
    count === 1 ? { status: 503, headers: { "retry-after": "600" } } : { status: 200 },
  );
  await api.setWebhook(hook.url);
  says("hello");
  await standIn.record.until(() => attempts().length === 1);
  standIn.clock.advance(599_000);
  expect(hook.received).toHaveLength(1);
  standIn.clock.advance(1001);
  await standIn.record.until(() => attempts().length === 2);
});

test("one chat is delivered in order and holds back no other", async () => {
  standIn.addPerson({ id: 5, firstName: "Mai" });
  let healed = false;
  const hook = await receiver(({ body }) => ({
    status: body.message?.chat.id === ZAINAB.id && !healed ? 500 : 200,
  }));
  await api.setWebhook(hook.url);
  says("z1");
  says("z2");
  says("m1", 5);
  says("m2", 5);
  const texts = (): unknown[] => hook.received.map(({ body }) => body.message?.text);
  await standIn.record.until(() => texts().includes("m2") && attempts().length === 4);
  expect(texts()).not.toContain("z2");
  healed = true;
  standIn.clock.advance(2001);
  await standIn.record.until(() => attempts().length === 6);
  expect(texts().filter((text) => String(text).startsWith("z"))).toEqual(["z1", "z1", "z1", "z2"]);
});

test("no more than max_connections deliveries run at once", async () => {
  const open: (() => void)[] = [];
  const hook = await receiver(async () => {
    await new Promise<void>((resolve) => open.push(resolve));
    return { status: 200 };
  });
  await api.setWebhook(hook.url, { max_connections: 2 });
  for (let id = 1; id <= 5; id += 1) {
    standIn.addPerson({ id, firstName: `Person ${id}` });
    says("hello", id);
  }
  let most = 0;
  for (let done = 0; done < 5; done += 1) {
    await expect.poll(() => open.length).toBeGreaterThan(0);
    most = Math.max(most, hook.received.length - attempts().length);
    open.shift()?.();
    await standIn.record.until(() => attempts().length === done + 1);
  }
  expect(most).toBe(2);
});

test("an answer that takes longer than 60 seconds is a failure and the update comes again", async () => {
  const hook = await receiver((_received, count) =>
    count === 1 ? new Promise(() => {}) : { status: 200 },
  );
  await api.setWebhook(hook.url);
  says("slow");
  await expect.poll(() => hook.received.length).toBe(1);
  standIn.clock.advance(60_001);
  await standIn.record.until(() => attempts().length === 2);
  expect(attempts()).toMatchObject([
    { status: null, error: "Read timeout expired" },
    { status: 200 },
  ]);
  expect(hook.received[1]?.body.update_id).toBe(hook.received[0]?.body.update_id);
});

test("410 for 23 hours removes the webhook", async () => {
  const hook = await receiver(() => ({ status: 410 }));
  await api.setWebhook(hook.url);
  says("first");
  await standIn.record.until(() => attempts().length === 2);
  standIn.clock.advance(23 * 3_600_000 + 1000);
  await standIn.record.until(() => attempts().length === 3);
  expect((await api.getWebhookInfo()).url).toBe("");
});

test("a failing update is dropped after a day and the chat goes on", async () => {
  const hook = await receiver(({ body }) => ({
    status: body.message?.text === "poison" ? 500 : 200,
  }));
  await api.setWebhook(hook.url);
  says("poison");
  await standIn.record.until(() => attempts().length === 2);
  standIn.clock.advance(86_400_001);
  says("fresh");
  await standIn.record.until(() =>
    hook.received.some(({ body }) => body.message?.text === "fresh"),
  );
  expect((await api.getWebhookInfo()).pending_update_count).toBe(0);
});

test("updates that waited are delivered when the webhook is set, unless they are to be dropped", async () => {
  const hook = await receiver(() => ({ status: 200 }));
  says("waiting");
  await api.setWebhook(hook.url);
  await standIn.record.until(() => attempts().length === 1);
  await api.deleteWebhook();
  says("dropped");
  standIn.clock.advance(1001);
  await api.setWebhook(hook.url, { drop_pending_updates: true });
  says("after");
  await standIn.record.until(() => attempts().length === 2);
  expect(hook.received.map(({ body }) => body.message?.text)).toEqual(["waiting", "after"]);
});

test("a method in the answer is carried out", async () => {
  const body = JSON.stringify({
    method: "sendMessage",
    chat_id: ZAINAB.id,
    text: "from the answer",
  });
  const hook = await receiver(() => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body,
  }));
  await api.setWebhook(hook.url);
  says("hello");
  await standIn.record.until(
    () => standIn.record.calls({ method: "sendmessage", accepted: true }).length === 1,
  );
  expect(standIn.messagesWith(ZAINAB.id, botId).at(-1)?.wire.text).toBe("from the answer");
});

test("setWebhook and deleteWebhook say what they did and refuse what the real server refuses", async () => {
  const set = (parameters: object): ReturnType<typeof call> =>
    call(`${standIn.url}/bot${token}/setWebhook`, parameters);
  const url = "http://127.0.0.1:9/hook";
  expect((await set({ url })).body).toEqual({
    ok: true,
    result: true,
    description: "Webhook was set",
  });
  const early = await set({ url });
  expect(early).toMatchObject({
    status: 429,
    body: {
      error_code: 429,
      description: "Too Many Requests: retry after 1",
      parameters: { retry_after: 1 },
    },
  });
  expect(early.headers.get("retry-after")).toBe("1");
  standIn.clock.advance(1001);
  expect((await set({ url })).body).toMatchObject({ description: "Webhook is already set" });
  const deleting = async (): Promise<unknown> =>
    (await call(`${standIn.url}/bot${token}/deleteWebhook`)).body["description"];
  expect([await deleting(), await deleting()]).toEqual([
    "Webhook was deleted",
    "Webhook is already deleted",
  ]);
  for (const [parameters, reason] of [
    [{ url: "ftp://x/y" }, "invalid webhook URL specified"],
    [{ url, secret_token: "a".repeat(257) }, "secret token is too long"],
    [{ url, secret_token: "a b" }, "secret token contains unallowed characters"],
  ] as const) {
    standIn.clock.advance(1001);
    expect(await set(parameters)).toMatchObject({
      status: 400,
      body: { description: `Bad Request: ${reason}` },
    });
  }
});
