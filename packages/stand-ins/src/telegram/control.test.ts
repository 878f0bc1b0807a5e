// The control API over HTTP does what the TypeScript API does.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { startTelegramStandIn } from "./stand-in.ts";

let standIn: TelegramStandIn;
let root: string;

beforeEach(async () => {
  standIn = await startTelegramStandIn();
  root = `${standIn.url}/stand-in/telegram`;
});
afterEach(() => standIn.close());

const ask = async (
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> => {
  const sent =
    body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${root}/${path}`, { method, ...sent });
  return { status: response.status, body: await response.json() };
};

test("a conversation, a fault and the record, all over HTTP", async () => {
  const added = await ask("POST", "bots", {
    name: "متجر",
    username: "matjar_bot",
    token: "7100200300:abc",
  });
  expect(added).toMatchObject({
    status: 201,
    body: { id: 7_100_200_300, token: "7100200300:abc" },
  });
  await ask("POST", "people", { id: 700_000_001, firstName: "زينب" });
  const pair = { personId: 700_000_001, botId: 7_100_200_300 };
  expect(await ask("POST", "says", { ...pair, text: "مرحبا" })).toMatchObject({
    status: 200,
    body: { messageId: 1, updateId: expect.any(Number) },
  });
  expect(await ask("POST", "faults", { kind: "throttled", retryAfter: 3 })).toMatchObject({
    status: 201,
  });
  const sending = (): Promise<Response> =>
    fetch(`${standIn.url}/bot7100200300:abc/sendMessage?chat_id=700000001&text=hi`);
  expect([(await sending()).status, (await sending()).status]).toEqual([429, 200]);
  expect((await ask("GET", "messages?personId=700000001&botId=7100200300")).body).toMatchObject([
    { author: "person", wire: { text: "مرحبا" } },
    { author: "bot", wire: { text: "hi" } },
  ]);
  expect((await ask("GET", "record?method=sendMessage")).body).toMatchObject({
    calls: [{ status: 429 }, { status: 200 }],
  });
  await ask("POST", "revoke", { botId: pair.botId });
  expect((await sending()).status).toBe(401);
});

test("the token is told once, when the bot is made, and never listed or recorded", async () => {
  const { token } = standIn.addBot();
  await fetch(`${standIn.url}/bot${token}/getMe`);
  const listed = [await ask("GET", "bots"), await ask("GET", "record"), await ask("GET", "people")];
  expect(JSON.stringify(listed)).not.toContain(token.split(":")[1]);
});

test("changes are streamed as they happen", async () => {
  const { id: botId } = standIn.addBot();
  standIn.addPerson({ id: 5, firstName: "Mai" });
  const leave = new AbortController();
  const response = await fetch(`${root}/events`, { signal: leave.signal });
  standIn.personSays({ personId: 5, botId, text: "live" });
  let seen = "";
  for await (const chunk of response.body ?? []) {
    seen += Buffer.from(chunk).toString("utf8");
    if (seen.includes("live")) break;
  }
  leave.abort();
  expect(seen).toContain("event: message\ndata: ");
});

test("the clock moves over HTTP, forward only", async () => {
  const before = standIn.clock.now();
  await ask("POST", "clock", { advanceMs: 3_600_000 });
  expect(standIn.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
  expect((await ask("POST", "clock", { advanceMs: -1 })).status).toBe(400);
});

test("what is wrong is said in plain words", async () => {
  expect(await ask("POST", "says", { personId: 5, botId: 6, text: "x" })).toMatchObject({
    status: 400,
    body: { error: "There is no bot with the id 6." },
  });
  expect((await ask("POST", "faults", { kind: "earthquake" })).status).toBe(400);
  expect((await ask("GET", "nothing")).status).toBe(404);
  const asPage = await fetch(`${root}/says`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: "{}",
  });
  expect(asPage.status).toBe(415);
});
