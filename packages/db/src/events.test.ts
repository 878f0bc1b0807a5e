// Events: each store's numbers have no gap, no repeat and the writers' order, with two sequencers and many writers at once.
import { newId } from "@thikaa/schema";
import { createTestDatabase, statementCost } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "./database.ts";
import { insertEvents, listEvents, numberEvents, numberStatement, storeShard } from "./events.ts";
import { createStore } from "./stores.ts";

let testDatabase: TestDatabase;
let database: Database;

beforeEach(async () => {
  testDatabase = await createTestDatabase({ name: "db_events" });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 12 });
});

afterEach(async () => {
  await database.close();
  await testDatabase.close();
});

const makeStore = (slug: string) =>
  createStore(database, {
    slug,
    name: slug,
    environment: "live",
    plan: "professional",
    defaultCallingCode: null,
    creditMicro: 0,
  });

function event(storeId: string, mark: unknown) {
  return {
    storeId,
    type: "message.status" as const,
    channel: "tg" as const,
    connectionId: null,
    instanceId: null,
    data: mark,
  };
}

/** Stores that share a shard, so that one sequencer numbers them together. */
async function storesOfOneShard(count: number): Promise<{ shard: number; stores: string[] }> {
  const byShard = new Map<number, string[]>();
  for (let index = 0; ; index++) {
    const id = await makeStore(`store-${index}`);
    const stores = [...(byShard.get(storeShard(id)) ?? []), id];
    byShard.set(storeShard(id), stores);
    if (stores.length === count) return { shard: storeShard(id), stores };
  }
}

test(
  "numbers have no gap and keep each writer's order, under two sequencers and concurrent writers",
  { timeout: 60_000 },
  async () => {
    const { shard, stores } = await storesOfOneShard(3);
    const [writers, rounds] = [6, 25];
    let writing = true;
    const numbered: { storeId: string; sequence: number }[] = [];
    const sequencer = async (limit: number) => {
      // The last look is one that began when everything was written.
      for (let [found, wrote] = [1, true]; wrote || found > 0;) {
        wrote = writing;
        const groups = await numberEvents(database, shard, limit);
        found = groups.length;
        for (const { storeId, events } of groups)
          numbered.push(...events.map(({ sequence }) => ({ storeId, sequence })));
      }
    };
    const writer = async (name: number) => {
      for (let round = 0; round < rounds; round++) {
        // Several events of several stores in one transaction, as a batch of sends writes them.
        await database.transaction(async (transaction) => {
          await insertEvents(
            transaction,
            stores.flatMap((storeId) => [
              event(storeId, { name, at: round * 2 }),
              event(storeId, { name, at: round * 2 + 1 }),
            ]),
          );
          if (round % 5 === 4) await transaction.query({ text: "SELECT pg_sleep(0.01)" });
        });
      }
    };
    const writes = Promise.all(Array.from({ length: writers }, (_, name) => writer(name))).finally(
      () => (writing = false),
    );
    await Promise.all([writes, sequencer(7), sequencer(50)]);
    const total = writers * rounds * 2;
    for (const storeId of stores) {
      const told = numbered
        .filter((entry) => entry.storeId === storeId)
        .map(({ sequence }) => sequence);
      expect(told.toSorted((left, right) => left - right)).toEqual(
        Array.from({ length: total }, (_, index) => index + 1),
      );
      const events = await listEvents(database, { storeId, after: 0, limit: total + 1 });
      expect(events.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: total }, (_, index) => index + 1),
      );
      for (let name = 0; name < writers; name++) {
        const own = events.flatMap(({ data }) =>
          isMark(data) && data.name === name ? [data] : [],
        );
        expect(own.map(({ at }) => at)).toEqual(
          Array.from({ length: rounds * 2 }, (_, index) => index),
        );
      }
    }
    expect((await database.query({ text: "SELECT 1 FROM events_unnumbered" })).rowCount).toBe(0);
  },
);

function isMark(data: unknown): data is { name: number; at: number } {
  return typeof data === "object" && data !== null && "name" in data && "at" in data;
}

test("what is not committed gets no number, and what is rolled back leaves no gap", async () => {
  const store = await makeStore("demo-2");
  const write = (mark: string, fail = false) =>
    database.transaction(async (transaction) => {
      await insertEvents(transaction, [event(store, mark)]);
      expect(await numberEvents(database, storeShard(store), 10)).toEqual([]);
      if (fail) throw new Error("rolled back");
    });
  await write("first");
  await numberEvents(database, storeShard(store), 10);
  await expect(write("lost", true)).rejects.toThrow("rolled back");
  await write("second");
  const [group] = await numberEvents(database, storeShard(store), 10);
  expect(group?.events).toMatchObject([
    { sequence: 2, data: "second", event: "message.status", version: 1 },
  ]);
});

test("a sequencer that dies in the middle leaves everything to the next one", async () => {
  const store = await makeStore("demo-3");
  await insertEvents(database, [event(store, 1), event(store, 2)]);
  await database
    .transaction(async (transaction) => {
      await numberEvents(transaction as Database, storeShard(store), 1);
      throw new Error("died");
    })
    .catch(() => {});
  const [group] = await numberEvents(database, storeShard(store), 10);
  expect(group?.events.map(({ sequence, data }) => [sequence, data])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test("pages follow a store's own numbers alone", async () => {
  const [mine, other] = [await makeStore("mine"), await makeStore("other")];
  await insertEvents(
    database,
    Array.from({ length: 5 }, (_, index) => event(index === 2 ? other : mine, index)),
  );
  for (const store of [mine, other]) await numberEvents(database, storeShard(store), 10);
  const page = await listEvents(database, { storeId: mine, after: 1, limit: 2 });
  expect(page.map(({ sequence, data }) => [sequence, data])).toEqual([
    [2, 1],
    [3, 3],
  ]);
  expect(await listEvents(database, { storeId: newId(), after: 0, limit: 10 })).toEqual([]);
});

test("a batch is looked through twice, not once for each of its events", async () => {
  const { shard, stores } = await storesOfOneShard(1);
  await insertEvents(
    database,
    Array.from({ length: 300 }, (_, mark) => event(stores[0] ?? "", { mark })),
  );
  const statement = { ...numberStatement, values: [shard, 300] };
  const cost = await statementCost(database, statement, "events_unnumbered");
  expect(cost.rows).toBe(600);
});
