// Flood control: who is told to wait and how long, and that the clock lifts it; other chats and other bots go on.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, ZAINAB } from "./fixtures/world.ts";
import { FloodControl } from "./flood.ts";
import { startTelegramStandIn } from "./stand-in.ts";

let standIn: TelegramStandIn;
let tokens: string[];
let botIds: number[];
const people = [ZAINAB, { ...ZAINAB, id: ZAINAB.id + 1 }];

beforeEach(async () => {
  standIn = await startTelegramStandIn({ people, floodControl: true });
  const bots = [standIn.addBot({ name: "One" }), standIn.addBot({ name: "Two" })];
  tokens = bots.map(({ token }) => token);
  botIds = bots.map(({ id }) => id);
  for (const botId of botIds)
    for (const { id: personId } of people) standIn.openChat({ personId, botId });
});
afterEach(() => standIn.close());

/** The seconds that a send is told to wait; 0 when it was taken. */
async function send(chatId: number, bot = 0, method = "sendMessage"): Promise<number> {
  const { body, status } = await call(`${standIn.url}/bot${tokens[bot]}/${method}`, {
    chat_id: chatId,
    text: "x",
    action: "typing",
  });
  const parameters = body["parameters"] as { retry_after: number } | undefined;
  expect(status).toBe(parameters === undefined ? 200 : 429);
  return parameters?.retry_after ?? 0;
}

async function sendMany(count: number, chatId: number): Promise<number[]> {
  const waits: number[] = [];
  for (let n = 0; n < count; n++) waits.push(await send(chatId));
  return waits;
}

test("to one person a short burst passes, then about one a second; others are not held up", async () => {
  expect(await sendMany(6, ZAINAB.id)).toEqual([0, 0, 0, 0, 0, expect.toSatisfy(isOneTo(5))]);
  expect(await send(ZAINAB.id + 1)).toBe(0);
  expect(await send(ZAINAB.id, 1)).toBe(0);
  expect(await send(ZAINAB.id, 0, "sendChatAction")).toBe(0);
  standIn.clock.advance(5_000);
  expect(await send(ZAINAB.id)).toBe(0);
});

test("to one group twenty a minute pass", async () => {
  const groupId = standIn.addGroup({ personId: ZAINAB.id, botId: botIds[0] ?? 0, title: "g" });
  const waits = await sendMany(21, groupId);
  expect(waits.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
  expect(waits[20]).toSatisfy(isOneTo(60));
  standIn.clock.advance(60_000);
  expect(await send(groupId)).toBe(0);
});

test("of one bot thirty a second pass, to whomever; the thirty-first does not count against its chat", () => {
  let now = 0;
  const flood = new FloodControl({ now: () => now, advance: () => {}, after: () => () => {} });
  for (let chat = 1; chat <= 30; chat++) flood.check(1, String(chat));
  expect(() => flood.check(1, "31")).toThrow("Too Many Requests: retry after 1");
  flood.check(2, "31");
  now = 1_000;
  for (let n = 0; n < 5; n++) flood.check(1, "31");
  expect(() => flood.check(1, "31")).toThrow("Too Many Requests: retry after 5");
});

function isOneTo(most: number): (wait: unknown) => boolean {
  return (wait) => typeof wait === "number" && wait >= 1 && wait <= most;
}
