// What the admin API tells of a message: its timeline in words, and lists.
import { insertEvents, numberEvents, storeShard } from "@thikaa/db";
import { newId, toWireId } from "@thikaa/schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startConsole, tableId } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

let running: RunningConsole;
let storeId: string;
const connectionId = newId();
beforeAll(async () => {
  running = await startConsole();
  const made = await running.admin("POST", "/stores", { slug: "shop" });
  storeId = tableId("store", (made.body["store"] as { id: string }).id);
  await running.admin("POST", "/stores", { slug: "another" });
  await running.database.query({
    text: "INSERT INTO connections (store_id, id, channel, name, environment, credentials_sealed, webhook_secret_sealed) VALUES ($1, $2, 'tg', 'main', 'live', '', '')",
    values: [storeId, connectionId],
  });
});
afterAll(() => running.stop());

async function writeMessage(
  status: string,
  more: { final?: boolean; at?: string } = {},
): Promise<string> {
  const id = newId();
  await running.database.query({
    text: `INSERT INTO messages (store_id, id, direction, origin, connection_id, channel, address, type, content, status, final, price_micro, created_at)
           VALUES ($1, $2, 'out', 'api', $3, 'tg', '700000001', 'text', '{}', $4, $5, 1000000, coalesce($6::timestamptz, now()))`,
    values: [storeId, id, connectionId, status, more.final ?? true, more.at],
  });
  return id;
}

async function writeAttempt(
  subject: string,
  attempt: { number: number; from: string; to: string; outcome: string; detail: object },
): Promise<void> {
  await running.database.query({
    text: "INSERT INTO attempts (store_id, id, subject_id, part, number, started_at, finished_at, outcome, detail) VALUES ($1, $2, $3, 1, $4, now() + $5::interval, now() + $6::interval, $7, $8)",
    values: [
      storeId,
      newId(),
      subject,
      attempt.number,
      attempt.from,
      attempt.to,
      attempt.outcome,
      JSON.stringify(attempt.detail),
    ],
  });
}

async function writeEvent(data: Record<string, unknown>): Promise<string> {
  await insertEvents(running.database, [
    { storeId, type: "message.status", channel: "tg", connectionId, instanceId: null, data },
  ]);
  const numbered = await numberEvents(running.database, storeShard(storeId), 10);
  const { rows } = await running.database.query<{ id: string }>({
    text: "SELECT id FROM events WHERE store_id = $1 ORDER BY sequence DESC LIMIT 1",
    values: [storeId],
  });
  expect(numbered).toHaveLength(1);
  return rows[0]?.id ?? "";
}

test("a message's timeline tells in plain words what happened, with the webhooks of its events", async () => {
  const id = await writeMessage("sent");
  await writeAttempt(id, {
    number: 1,
    from: "1 second",
    to: "2 seconds",
    outcome: "throttled",
    detail: {
      code: "throttled",
      message: "slow",
      provider_code: "429",
      provider_message: "Too Many Requests: retry after 14",
      retry_after_ms: 13_600,
    },
  });
  await writeAttempt(id, {
    number: 2,
    from: "16 seconds",
    to: "17 seconds",
    outcome: "sent",
    detail: { provider_message_id: "51" },
  });
  const eventId = await writeEvent({
    message_id: toWireId("message", id),
    status: "sent",
    final: true,
    reason: null,
    refunded: false,
  });
  const [endpoint, delivery] = [newId(), newId()];
  await running.database.query({
    text: "INSERT INTO endpoints (store_id, id, url, secret_sealed) VALUES ($1, $2, 'https://shop.example/hook?key=hidden', '')",
    values: [storeId, endpoint],
  });
  await running.database.query({
    text: "INSERT INTO deliveries (store_id, id, endpoint_id, event_id, sequence, status, last_status, finished_at) VALUES ($1, $2, $3, $4, 1, 'delivered', 200, now())",
    values: [storeId, delivery, endpoint, eventId],
  });
  await writeAttempt(delivery, {
    number: 1,
    from: "18 seconds",
    to: "18.012 seconds",
    outcome: "delivered",
    detail: { http_status: 200, duration_ms: 12, response: "" },
  });
  const { message } = (await running.admin("GET", `/messages/${toWireId("message", id)}`)).body as {
    message: {
      timeline: { at: string; text: string }[];
      connection: string;
      deliveries: unknown[];
    };
  };
  expect(message.timeline.map((line) => line.text)).toEqual([
    "accepted for 700000001, 1 credits taken",
    "sent",
    "handed to Telegram",
    "Telegram answered 429: Too Many Requests: retry after 14; waiting 14 s",
    "handed to Telegram (try 2)",
    "Telegram took it as 51",
    "webhook https://shop.example/hook (message.status) answered 200 after 12 ms",
  ]);
  expect(message.connection).toBe("main");
  expect(message.deliveries).toMatchObject([
    { status: "delivered", event: "message.status", attempts: [{ outcome: "delivered" }] },
  ]);
});

test("a message that waits says until when and why", async () => {
  const id = await writeMessage("queued", { final: false });
  await running.database.query({
    text: "UPDATE messages SET reason = $2 WHERE id = $1",
    values: [
      id,
      JSON.stringify({
        code: "unavailable",
        message: "The provider is away.",
        provider_code: null,
        provider_message: null,
      }),
    ],
  });
  await running.database.query({
    text: "INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at) VALUES ($1, $2, $3, '700000001', '2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z')",
    values: [storeId, id, connectionId],
  });
  const { message } = (await running.admin("GET", `/messages/${toWireId("message", id)}`)).body as {
    message: { timeline: unknown[] };
  };
  expect(message.timeline.at(-1)).toEqual({
    at: "2030-01-01T00:00:00.000Z",
    text: "waits; next try due then: The provider is away.",
  });
});

test("lists come newest first, by page, of one store, failed ones and since a time", async () => {
  const failed = await writeMessage("failed");
  const ids = async (query: string) =>
    (
      (await running.admin("GET", `/messages?${query}`)).body["messages"] as {
        message_id: string;
      }[]
    ).map((message) => message.message_id);
  expect(await ids("store=shop&failed=1")).toEqual([toWireId("message", failed)]);
  const all = await ids("store=shop");
  expect(all).toHaveLength(3);
  expect(all[0]).toBe(toWireId("message", failed));
  expect(await ids(`store=shop&limit=2&before=${all[0]}`)).toEqual(all.slice(1));
  expect(await ids(`store=shop&since=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
  expect(await ids("store=another")).toEqual([]);
  expect((await running.admin("GET", "/messages")).status).toBe(400);
});

test("a message that is not there is 404", async () => {
  expect((await running.admin("GET", `/messages/${toWireId("message", newId())}`)).status).toBe(
    404,
  );
  expect((await running.admin("GET", "/messages/evt_1")).status).toBe(404);
});
