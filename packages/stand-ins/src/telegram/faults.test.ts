// Scripted faults, as a client sees them, and what the record knows of them.
import { Api, GrammyError, HttpError } from "grammy";
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

const send = (text = "hello"): Promise<unknown> =>
  api.sendMessage(ZAINAB.id, text).catch((error: unknown) => error);
const texts = (): unknown[] =>
  standIn
    .messagesWith(ZAINAB.id, botId)
    .slice(1)
    .map((message) => message.wire.text);
const lastCall = (): unknown => standIn.record.calls({ method: "sendMessage" }).at(-1);

test("throttled: 429 with retry_after in the body and in the header, once", async () => {
  standIn.faults.add({ kind: "throttled", retryAfter: 14, method: "sendMessage" });
  const { status, headers, body } = await call(`${standIn.url}/bot${token}/sendMessage`, {
    chat_id: ZAINAB.id,
    text: "x",
  });
  expect({ status, body, after: headers.get("retry-after") }).toEqual({
    status: 429,
    body: {
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 14",
      parameters: { retry_after: 14 },
    },
    after: "14",
  });
  expect(await send()).not.toBeInstanceOf(Error);
  expect(texts()).toEqual(["hello"]);
});

test("a 500 is JSON, a 502 is a proxy's page; either may hide that the message was sent", async () => {
  standIn.faults.add({ kind: "server_error" });
  expect(await send("lost")).toMatchObject({
    error_code: 500,
    description: "Internal Server Error: restart",
  });
  standIn.faults.add({ kind: "server_error", status: 502, accepted: true });
  expect(await send("kept")).toBeInstanceOf(HttpError);
  expect(texts()).toEqual(["kept"]);
  expect(lastCall()).toMatchObject({ outcome: "answered", status: 502, accepted: true });
});

test("a connection reset before the message is accepted leaves no message; one after it leaves one", async () => {
  standIn.faults.add({ kind: "reset_before_accept", method: "sendMessage" });
  expect(await send("before")).toBeInstanceOf(HttpError);
  expect(lastCall()).toMatchObject({
    outcome: "reset_before_accept",
    status: null,
    accepted: false,
  });
  standIn.faults.add({ kind: "reset_after_accept", method: "sendMessage" });
  expect(await send("after")).toBeInstanceOf(HttpError);
  expect(lastCall()).toMatchObject({ outcome: "reset_after_accept", status: null, accepted: true });
  expect(texts()).toEqual(["after"]);
});

test("a truncated answer is no answer, though the message is there", async () => {
  standIn.faults.add({ kind: "truncated" });
  // Not by grammY: its fetch does not notice the early end, and waits for its own time limit.
  const answer = await fetch(
    `${standIn.url}/bot${token}/sendMessage?chat_id=${ZAINAB.id}&text=cut`,
  );
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow("terminated");
  expect(texts()).toEqual(["cut"]);
  expect(lastCall()).toMatchObject({ outcome: "truncated", accepted: true });
});

test("a hang never answers, until the client gives up", async () => {
  standIn.faults.add({ kind: "hang", accepted: true });
  const patience = new AbortController();
  const sending = fetch(`${standIn.url}/bot${token}/sendMessage?chat_id=${ZAINAB.id}&text=quiet`, {
    signal: patience.signal,
  }).catch((error: unknown) => error);
  await standIn.record.until(() => standIn.record.calls().at(-1)?.outcome === "hung");
  patience.abort();
  expect(await sending).toMatchObject({ name: "AbortError" });
  expect(texts()).toEqual(["quiet"]);
});

test("a delay holds the call back by the stand-in's clock", async () => {
  standIn.faults.add({ kind: "delay", delayMs: 60_000 });
  const sending = send("late");
  await standIn.record.until(() => standIn.record.calls({ method: "sendMessage" }).length === 1);
  expect(texts()).toEqual([]);
  standIn.clock.advance(60_001);
  await sending;
  expect(texts()).toEqual(["late"]);
});

test("a revoked token is dead for every later call", async () => {
  standIn.faults.add({ kind: "revoked", method: "sendMessage" });
  expect(await send()).toMatchObject({ error_code: 401, description: "Unauthorized" });
  expect(await api.getMe().catch((error: unknown) => error)).toBeInstanceOf(GrammyError);
  expect(standIn.bots()).toMatchObject([{ id: botId, revoked: true }]);
});

test("any error of the real server can be scripted", async () => {
  standIn.faults.add({ kind: "error", status: 403, description: "Forbidden: user is deactivated" });
  expect(await send()).toMatchObject({
    error_code: 403,
    description: "Forbidden: user is deactivated",
  });
});

test("a fault hits only its bot, method and chat, as often as it was told", async () => {
  standIn.addPerson({ id: 5, firstName: "Mai" });
  standIn.personStarts({ personId: 5, botId });
  const fault = standIn.faults.add({
    kind: "server_error",
    botId,
    method: "SendMessage",
    chatId: 5,
    times: 2,
  });
  standIn.faults.add({ kind: "server_error", botId: botId + 1, times: "always" });
  await api.getMe();
  expect(await send()).not.toBeInstanceOf(Error);
  const toMai = (): Promise<unknown> => api.sendMessage(5, "hi").catch((error: unknown) => error);
  expect(
    [await toMai(), await toMai(), await toMai()].map((outcome) => outcome instanceof Error),
  ).toEqual([true, true, false]);
  expect(fault.hits).toBe(2);
});
