// Accepting many stores in one batch: each pays exactly for what was accepted, and a poor one harms no other.
import { Bus } from "@thikaa/bus";
import { createConnection, createStore, Database } from "@thikaa/db";
import { newId, toMicro } from "@thikaa/schema";
import { createTestDatabase, natsUrl, testNamespace, waitFor } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Accepting } from "./accept.ts";
import type { AcceptRequest } from "./accept-types.ts";

let testDatabase: TestDatabase;
let database: Database;
let bus: Bus;
let accepting: Accepting;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "accept" });
  database = new Database({ url: testDatabase.url, applicationName: "test" });
  bus = await Bus.connect({ url: natsUrl(), namespace: testNamespace(), name: "test" });
  accepting = new Accepting({ database, bus });
});

afterAll(async () => {
  await bus?.close();
  await database?.close();
  await testDatabase?.close();
});

test("stores with enough, with too little and with nothing, all at once: each gets exactly what it can pay", async () => {
  const [rich, poor, broke] = [await openStore(1000), await openStore(3), await openStore(0)];
  const requests = Array.from({ length: 40 }, (_, n) => [
    rich(`r${n}`),
    poor(`p${n}`),
    broke(`b${n}`),
  ]).flat();
  const results = await Promise.all(requests.map((request) => accepting.accept(request)));
  const accepted = (storeId: string) =>
    requests.filter(
      (request, index) => request.storeId === storeId && results[index]?.kind === "accepted",
    ).length;
  expect([rich, poor, broke].map((store) => accepted(store("x").storeId))).toEqual([40, 3, 0]);
  expect(results.filter(({ kind }) => kind === "insufficient_balance")).toHaveLength(77);
  for (const [store, balance] of [
    [rich, 960],
    [poor, 0],
    [broke, 0],
  ] as const) {
    expect(await books(store("x").storeId)).toEqual({
      balance: toMicro(balance),
      ledger: toMicro(balance),
    });
  }
  // A refusal is never stored under its key: after a payment the same request is accepted.
  await credit(broke("x").storeId, 1);
  expect((await accepting.accept(broke("b0"))).kind).toBe("accepted");
});

test("two gateways spending one balance at once take no more than there is", async () => {
  const store = await openStore(50);
  const second = new Accepting({ database, bus });
  const results = await Promise.all(
    Array.from({ length: 120 }, (_, n) =>
      (n % 2 === 0 ? accepting : second).accept(store(`s${n}`)),
    ),
  );
  expect(results.filter(({ kind }) => kind === "accepted")).toHaveLength(50);
  expect(await books(store("x").storeId)).toEqual({ balance: 0, ledger: 0 });
});

test("balances are debited in the order of their ids, whatever the order of the messages", async () => {
  const stores = [await openStore(1), await openStore(1), await openStore(1)];
  const ids = stores.map((store) => store("x").storeId).toSorted();
  const [first = "", middle = "", last = ""] = ids;
  let decided: Promise<unknown> | undefined;
  await database.transaction(async (transaction) => {
    await transaction.query({
      text: "SELECT 1 FROM balances WHERE store_id = $1 FOR UPDATE",
      values: [middle],
    });
    const inOrder = stores.toSorted((left, right) =>
      left("x").storeId < right("x").storeId ? 1 : -1,
    );
    decided = Promise.all(inOrder.map((store) => accepting.accept(store("x"))));
    await waitFor(waitsForLock, { what: "the batch to wait for the balance in the middle" });
    expect(await free(ids)).toEqual([last]);
  });
  expect(await decided).toMatchObject(Array.from({ length: 3 }, () => ({ kind: "accepted" })));
  expect(await free(ids)).toEqual([first, middle, last]);
});

async function waitsForLock(): Promise<boolean> {
  const { rowCount } = await database.query({
    text: "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
  });
  return rowCount === 1;
}

/** Which of these stores' balances nobody has locked. */
async function free(storeIds: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<{ store_id: string }>({
    text: "SELECT store_id FROM balances WHERE store_id = ANY($1) ORDER BY store_id FOR UPDATE SKIP LOCKED",
    values: [storeIds],
  });
  return rows.map((row) => row.store_id);
}

async function openStore(credits: number): Promise<(key: string) => AcceptRequest> {
  const slug = `s-${newId().slice(-12)}`;
  const storeId = await createStore(database, {
    slug,
    name: slug,
    environment: "live",
    plan: "professional",
    defaultCallingCode: null,
    creditMicro: toMicro(credits),
  });
  const [instanceId, connectionId] = [newId(), newId()];
  await createConnection(database, {
    id: connectionId,
    storeId,
    channel: "tg",
    name: "x",
    environment: "live",
    credentialsSealed: "-",
    webhookSecretSealed: "-",
    settings: {},
    priceMicro: null,
  });
  return (key) => ({
    storeId,
    instanceId,
    connectionId,
    channel: "tg",
    to: "700000001",
    content: { text: key, media: null },
    clientReference: null,
    sendAt: null,
    ttlSeconds: 3600,
    priceMicro: toMicro(1),
    warnings: [],
    idempotency: { key, fingerprint: Buffer.from(key) },
  });
}

async function credit(storeId: string, credits: number): Promise<void> {
  await database.query({
    text: `WITH noted AS (INSERT INTO ledger (store_id, id, kind, amount_micro) VALUES ($1, $2, 'credit', $3))
           UPDATE balances SET balance_micro = balance_micro + $3 WHERE store_id = $1`,
    values: [storeId, newId(), toMicro(credits)],
  });
}

async function books(storeId: string): Promise<{ balance: number; ledger: number }> {
  const { rows } = await database.query<{ balance: number; ledger: number }>({
    text: "SELECT balance_micro AS balance, (SELECT coalesce(sum(amount_micro), 0)::bigint FROM ledger WHERE store_id = $1) AS ledger FROM balances WHERE store_id = $1",
    values: [storeId],
  });
  return rows[0] ?? { balance: -1, ledger: -1 };
}
