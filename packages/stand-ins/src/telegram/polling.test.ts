// How a bot receives by getUpdates: grammY's own poller, offsets, filters, conflicts.
import { Bot } from "grammy";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, startWithChat, ZAINAB } from "./fixtures/world.ts";

let standIn: TelegramStandIn;
let botId: number;
let token: string;

beforeEach(async () => {
  ({ standIn, botId, token } = await startWithChat());
});
afterEach(() => standIn.close());

const says = (text: string): number =>
  standIn.personSays({ personId: ZAINAB.id, botId, text }).updateId ?? 0;
const updates = async (parameters: object): Promise<{ update_id: number }[]> => {
  const { body } = await call(`${standIn.url}/bot${token}/getUpdates`, parameters);
  return body["result"] as { update_id: number }[];
};
const ids = async (parameters: object): Promise<number[]> =>
  (await updates(parameters)).map((update) => update.update_id);

test("grammY's poller receives what the person types, with her names and language", async () => {
  const bot = new Bot(token, { client: { apiRoot: standIn.url } });
  const received = Promise.withResolvers<unknown>();
  bot.on("message", (context) => received.resolve(context.update));
  const running = bot.start();
  says("كم السعر؟");
  expect(await received.promise).toMatchObject({
    message: {
      text: "كم السعر؟",
      chat: { id: ZAINAB.id },
      from: { first_name: "زينب", username: "zainab", language_code: "ar", is_bot: false },
    },
  });
  await bot.stop();
  await running;
});

test("a long poll is answered the moment something comes", async () => {
  const waiting = ids({ timeout: 50 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  const id = says("now");
  expect(await waiting).toEqual([id]);
});

test("a long poll with nothing to say ends after its timeout, and never after 50 seconds", async () => {
  const waiting = ids({ timeout: 900 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  standIn.clock.advance(50_001);
  expect(await waiting).toEqual([]);
});

test("updates stay until a higher offset confirms them", async () => {
  const [one, two, three] = [says("1"), says("2"), says("3")];
  expect(await ids({})).toEqual([one, two, three]);
  standIn.clock.advance(5000);
  expect(await ids({})).toEqual([one, two, three]);
  expect(await ids({ offset: two, limit: 1 })).toEqual([two]);
  standIn.clock.advance(5000);
  expect(await ids({ offset: 0 })).toEqual([two, three]);
});

test("a negative offset counts from the end and forgets the rest", async () => {
  const [, two, three] = [says("1"), says("2"), says("3")];
  expect(await ids({ offset: -2 })).toEqual([two, three]);
  standIn.clock.advance(5000);
  expect(await ids({})).toEqual([two, three]);
});

test("allowed_updates stays in force, and only for what comes later", async () => {
  const text = says("kept");
  await ids({ allowed_updates: ["my_chat_member"] });
  says("not wanted");
  standIn.personBlocks({ personId: ZAINAB.id, botId });
  standIn.clock.advance(5000);
  const kinds = (await updates({ offset: text })).map((update) => Object.keys(update)[1]);
  expect(kinds).toEqual(["message", "my_chat_member"]);
  standIn.clock.advance(5000);
  await ids({ allowed_updates: [] });
  says("wanted again");
  standIn.clock.advance(5000);
  expect(await ids({ offset: -1 })).toHaveLength(1);
});

test("updates older than a day are gone", async () => {
  says("yesterday");
  standIn.clock.advance(86_400_001);
  expect(await ids({})).toEqual([]);
});

test("a second poller ends the first with 409 and is counted", async () => {
  const first = call(`${standIn.url}/bot${token}/getUpdates`, { timeout: 50 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  const second = ids({ timeout: 50 });
  expect(await first).toMatchObject({
    status: 409,
    body: {
      error_code: 409,
      description:
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    },
  });
  expect(standIn.record.overlappingPolls(botId)).toBe(1);
  expect(standIn.record.overlaps(botId)[0]?.bothMs).toBeGreaterThanOrEqual(0);
  const id = says("to the second");
  expect(await second).toEqual([id]);
});

test("a poller that asks again at once with the same offset is slowed to three seconds", async () => {
  await ids({ offset: 200 });
  const hurried = ids({ offset: 200 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  standIn.clock.advance(3001);
  expect(await hurried).toEqual([]);
});

test("polling while a webhook is set is a conflict, and setting one ends an open poll", async () => {
  const open = call(`${standIn.url}/bot${token}/getUpdates`, { timeout: 50 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  await call(`${standIn.url}/bot${token}/setWebhook`, { url: "http://127.0.0.1:9/hook" });
  expect(await open).toMatchObject({
    status: 409,
    body: { description: "Conflict: terminated by setWebhook request" },
  });
  standIn.clock.advance(5000);
  expect(await call(`${standIn.url}/bot${token}/getUpdates`)).toMatchObject({
    status: 409,
    body: {
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    },
  });
});

test("a poll whose client has gone is forgotten without a conflict", async () => {
  const gone = new AbortController();
  const poll = fetch(`${standIn.url}/bot${token}/getUpdates?timeout=50`, {
    signal: gone.signal,
  }).catch(() => null);
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  gone.abort();
  await poll;
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "left",
  );
  const id = says("still there");
  expect(await ids({ timeout: 50 })).toEqual([id]);
  expect(standIn.record.overlappingPolls(botId)).toBe(0);
});

test("a revoked token ends the open poll and answers 401 from then on", async () => {
  const open = call(`${standIn.url}/bot${token}/getUpdates`, { timeout: 50 });
  await standIn.record.until(
    () => standIn.record.calls({ method: "getUpdates" }).at(-1)?.outcome === "pending",
  );
  standIn.revokeToken(botId);
  expect(await open).toMatchObject({ status: 401, body: { description: "Unauthorized" } });
  expect((await call(`${standIn.url}/bot${token}/getMe`)).status).toBe(401);
});
