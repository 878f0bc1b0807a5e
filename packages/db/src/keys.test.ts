// Keys and rate windows as the gateway asks for them.
import { newId } from "@thikaa/schema";
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database } from "./database.ts";
import { createInstance } from "./instances.ts";
import { countRequests, findKeyHolder, readBalance } from "./keys.ts";
import { createStore, creditStore } from "./stores.ts";

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "db_keys" });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 10 });
});

afterAll(async () => {
  await database.close();
  await testDatabase.close();
});

test("a key is found by its hash, with its store", async () => {
  const storeId = await createStore(database, {
    slug: "shop",
    name: "Shop",
    environment: "live",
    plan: "enterprise",
    defaultCallingCode: "964",
    creditMicro: 5_000_000,
  });
  const id = newId();
  const keyHash = Buffer.alloc(32, 7);
  const expiresAt = new Date("2030-01-01T00:00:00Z");
  await createInstance(database, {
    id,
    storeId,
    name: "web",
    channels: ["tg", "wd"],
    keyHash,
    keyPrefix: "tk_live_ab",
    keyLast4: "wxyz",
    rateLimit: 120,
    expiresAt,
    endpoint: null,
  });
  expect(await findKeyHolder(database, keyHash)).toEqual({
    instanceId: id,
    name: "web",
    channels: ["tg", "wd"],
    status: "active",
    rateLimit: 120,
    expiresAt,
    storeId,
    store: "shop",
    plan: "enterprise",
    storeStatus: "active",
    defaultCallingCode: "964",
  });
  expect(await findKeyHolder(database, Buffer.alloc(32, 8))).toBeNull();
  expect(await readBalance(database, storeId)).toBe(5_000_000);
  expect([
    await creditStore(database, { storeId, amountMicro: -5_000_001, note: null }),
    await creditStore(database, { storeId, amountMicro: -5_000_000, note: null }),
  ]).toEqual([null, 0]);
  expect(await readBalance(database, newId())).toBe(0);
});

test("requests are counted into one window of a key, whoever counts, without a deadlock", async () => {
  const keys = Array.from({ length: 20 }, () => newId());
  const count = (reverse: boolean) =>
    countRequests(
      database,
      (reverse ? keys.toReversed() : keys).map((instanceId) => ({ instanceId, count: 3 })),
      60,
    );
  await Promise.all(Array.from({ length: 10 }, (_, index) => count(index % 2 === 1)));
  const windows = await count(false);
  expect(windows.map(({ used }) => used)).toEqual(keys.map(() => 33));
  for (const { remainingMs } of windows)
    expect(remainingMs > 50_000 && remainingMs <= 60_000).toBe(true);
});

test("a window begins with the first request, and anew with the first one after its end", async () => {
  const instanceId = newId();
  const count = async () => (await countRequests(database, [{ instanceId, count: 1 }], 60))[0];
  expect((await count())?.used).toBe(1);
  await shift(instanceId, 59);
  expect(await count()).toMatchObject({ used: 2 });
  await shift(instanceId, 1);
  const anew = await count();
  expect(anew?.used).toBe(1);
  expect(anew?.remainingMs).toBeGreaterThan(59_000);
});

async function shift(instanceId: string, seconds: number): Promise<void> {
  await database.query({
    text: "UPDATE rate_windows SET started_at = started_at - $2 * interval '1 second' WHERE instance_id = $1",
    values: [instanceId, seconds],
  });
}
