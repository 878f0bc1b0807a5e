// The backlog: how long the oldest that could go has waited, by channel, at a cost that does not grow with the queue.
import { newId } from "@thikaa/schema";
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backlogBounds, backlogQueues, readBacklog } from "./backlog.ts";
import { Database } from "./database.ts";

let testDatabase: TestDatabase;
let database: Database;
const [store, busy, idle] = [newId(), newId(), newId()];

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "backlog" });
  database = new Database({ url: testDatabase.url, applicationName: "test" });
  await database.query({
    text: "INSERT INTO stores (id, slug, name, plan) VALUES ($1, 'a', 'A', 'professional')",
    values: [store],
  });
  await database.query({
    text: `INSERT INTO connections (store_id, id, channel, name, environment, credentials_sealed, webhook_secret_sealed)
           SELECT $1, id, channel, channel, 'live', '-', '-' FROM unnest($2::uuid[], $3::text[]) AS given (id, channel)`,
    values: [store, [busy, idle], ["tg", "wa"]],
  });
  await database.query({
    text: "INSERT INTO channel_descriptions (channel, description) VALUES ('tg', '{}'), ('wa', '{}')",
  });
});

afterAll(async () => {
  await database?.close();
  await testDatabase?.close();
});

/** Queues so many messages that have been due for so many seconds. */
async function queue(connection: string, given: { rows: number; dueFor: number }): Promise<void> {
  await database.query({
    text: `INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at)
           SELECT $1, uuidv7(), $2, n::text, now() - $4 * interval '1 second', now() + interval '1 day' FROM generate_series(1, $3) AS n`,
    values: [store, connection, given.rows, given.dueFor],
  });
}

const sends = async () => {
  const { queues } = await readBacklog(database);
  return Object.fromEntries(
    queues.flatMap(({ queue: name, channel, rows, age }) =>
      // In whole half-minutes: the test itself takes time.
      name === "send" ? [[channel, { rows, age: Math.floor(age / 30) * 30 }]] : [],
    ),
  );
};

test("an empty house has nothing waiting, and says so for every queue and channel", async () => {
  const { queues } = await readBacklog(database);
  const told = queues.map(({ queue: name, channel, age }) => `${name} ${channel} ${age}`);
  expect(told.toSorted()).toEqual([
    "delivery all 0",
    "events all 0",
    "inbound all 0",
    "send tg 0",
    "send wa 0",
  ]);
});

test("the age is that of the oldest that could go now; a retry's and a schedule's time to come counts as no wait", async () => {
  await queue(busy, { rows: 2, dueFor: 90 });
  await queue(busy, { rows: 1, dueFor: 30 });
  await queue(idle, { rows: 3, dueFor: -600 });
  expect(await sends()).toEqual({ tg: { rows: 3, age: 90 }, wa: { rows: 3, age: 0 } });
});

test("an event without a number and an inbound item tell how long they have waited", async () => {
  await database.query({
    text: `INSERT INTO events_unnumbered (shard, store_id, id, type, data, created_at) VALUES (7, $1, uuidv7(), 'message.status', '{}', now() - interval '20 seconds')`,
    values: [store],
  });
  await database.query({
    text: `INSERT INTO inbound_items (store_id, connection_id, key, thread, shard, raw, converted, due_at) VALUES ($1, $2, 'k', 't', 0, '', '{}', now() - interval '40 seconds')`,
    values: [store, busy],
  });
  const { queues } = await readBacklog(database);
  const ages = new Map(queues.map(({ queue: name, age }) => [name, Math.floor(age / 20) * 20]));
  expect([ages.get("events"), ages.get("inbound")]).toEqual([20, 40]);
});

test("keys that no living worker owns and living workers are counted", async () => {
  const [alive, dead] = [newId(), newId()];
  await database.query({
    text: `INSERT INTO workers (id, role, host, expires_at) VALUES ($1, 'inbox', 'a', now() + interval '1 minute'), ($2, 'inbox', 'b', now() - interval '1 minute')`,
    values: [alive, dead],
  });
  await database.query({
    text: `INSERT INTO assignments (kind, key, worker) VALUES ('inbound-shard', '0', $1), ('inbound-shard', '1', $2), ('connection', $3, NULL), ('connection', 'removed', NULL)`,
    values: [alive, dead, busy],
  });
  const { workers, unowned } = await readBacklog(database);
  expect(workers).toEqual([{ role: "inbox", count: 1 }]);
  expect(new Map(unowned.map(({ kind, count }) => [kind, count]))).toEqual(
    new Map([
      ["inbound-shard", 1],
      ["connection", 1],
    ]),
  );
});

test("behind 60,000 of another connection nothing is hidden, and they are counted within a few in the hundred", async () => {
  await database.query({ text: "DELETE FROM send_queue" });
  await queue(idle, { rows: 60_000, dueFor: -600 });
  await queue(busy, { rows: 3, dueFor: 90 });
  await database.query({ text: "VACUUM ANALYZE send_queue" });
  const { tg, wa } = await sends();
  expect(tg).toEqual({ rows: 3, age: 90 });
  expect(wa?.age).toBe(0);
  expect(wa?.rows).toBeGreaterThan(51_000);
  expect(wa?.rows).toBeLessThan(69_000);
});

test("with 60,000 queued no more is read than the bounds say", async () => {
  const values = [backlogBounds.oldest, backlogBounds.ofConnection, 10, 100];
  const { rows } = await database.query<{ "QUERY PLAN": string }>({
    text: `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${backlogQueues.replaceAll(/\$(\d)/g, (_, n) => String(values[Number(n) - 1]))}`,
  });
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  const read = [...plan.matchAll(/on send_queue.*rows=([\d.]+) loops=(\d+)/g)].map(
    ([, count, loops]) => Number(count) * Number(loops),
  );
  expect(read.length).toBeGreaterThanOrEqual(4);
  // A tenth of its pages, its oldest, and a few of each connection.
  expect(read.reduce((sum, count) => sum + count, 0)).toBeLessThan(15_000);
  expect(plan).toMatch(/Index Scan using send_queue_pkey on send_queue .*rows=5000(\.00)? /);
  expect(plan).not.toContain("Seq Scan on send_queue");
});

test("a delivery that could go is told, however many of other endpoints are not due", async () => {
  const [sick, sound] = [newId(), newId()];
  for (const id of [sick, sound])
    await database.query({
      text: "INSERT INTO endpoints (store_id, id, url, events, secret_sealed) VALUES ($1, $2, 'https://shop.example', '{}', '-')",
      values: [store, id],
    });
  const wait = (id: string, count: number, dueFor: number) =>
    database.query({
      text: `INSERT INTO delivery_queue (delivery_id, store_id, endpoint_id, event_id, shard, due_at)
             SELECT uuidv7(), $1, $2, uuidv7(), 5, now() - $4 * interval '1 second' FROM generate_series(1, $3)`,
      values: [store, id, count, dueFor],
    });
  await wait(sick, 6_000, -600);
  await wait(sound, 1, 40);
  const { queues } = await readBacklog(database);
  const told = queues.find(({ queue: name }) => name === "delivery");
  expect(told).toMatchObject({ rows: 6_001 });
  expect(Math.floor((told?.age ?? 0) / 20) * 20).toBe(40);
});
