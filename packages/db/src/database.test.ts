// The door to PostgreSQL: transactions hold together, numbers are exact, and a silent server is given up.
import { createTestDatabase, startFaultProxy } from "@thikaa/testkit";
import type { FaultProxy, TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database, isUnavailable, isUniqueViolation } from "./database.ts";

let testDatabase: TestDatabase;
let proxy: FaultProxy;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "door" });
  proxy = await startFaultProxy({ target: testDatabase.url });
  database = new Database({
    url: proxy.url,
    applicationName: "test",
    maxConnections: 1,
    queryTimeoutMs: 300,
  });
  await database.query({ text: "CREATE TABLE notes (id int PRIMARY KEY, amount bigint)" });
});

afterAll(async () => {
  await database?.close();
  await proxy?.close();
  await testDatabase?.close();
});

test("a transaction that throws leaves nothing, one that resolves is there, and bigint is an exact number", async () => {
  const failing = database.transaction(async (transaction) => {
    await transaction.query({ text: "INSERT INTO notes VALUES (1, 1)" });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await database.transaction((transaction) =>
    transaction.query({ text: "INSERT INTO notes VALUES (2, 9007199254740991)" }),
  );
  const { rows } = await database.query({ text: "SELECT id, amount FROM notes ORDER BY id" });
  expect(rows).toEqual([{ id: 2, amount: Number.MAX_SAFE_INTEGER }]);
});

test("a unique index's refusal is told from other errors, by its name", async () => {
  const error: unknown = await database
    .query({ text: "INSERT INTO notes VALUES (2, 0)" })
    .catch((thrown: unknown) => thrown);
  expect(isUniqueViolation(error, "notes_pkey")).toBe(true);
  expect(isUniqueViolation(error, "another")).toBe(false);
  expect(isUnavailable(error)).toBe(false);
});

test("a statement that is refused costs no connection", async () => {
  const pid = async () =>
    (await database.query<{ pid: number }>({ text: "SELECT pg_backend_pid() AS pid" })).rows[0]
      ?.pid;
  const before = await pid();
  await expect(database.query({ text: "SELECT 1 / 0" })).rejects.toThrow("division by zero");
  const failing = database.transaction((transaction) => transaction.query({ text: "nonsense" }));
  await expect(failing).rejects.toThrow("syntax error");
  expect(await pid()).toBe(before);
});

test("a server that has become read-only is not asked again on the same connection", async () => {
  const write = () => database.query({ text: "INSERT INTO notes VALUES (7, 7)" });
  await database.query({ text: "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" });
  const error: unknown = await write().catch((thrown: unknown) => thrown);
  expect(isUnavailable(error)).toBe(true);
  expect((await write()).rowCount).toBe(1);
});

test("a server that is silent to a statement is given up in time, and the next one does not wait behind it", async () => {
  await proxy.set({ kind: "blackHole" });
  const begun = performance.now();
  const error: unknown = await database
    .query({ text: "SELECT 1" })
    .catch((thrown: unknown) => thrown);
  expect(isUnavailable(error)).toBe(true);
  expect(performance.now() - begun).toBeLessThan(1_000);
  await proxy.set({ kind: "pass" });
  expect((await database.query({ text: "SELECT 2 AS two" })).rows).toEqual([{ two: 2 }]);
});

test("a server that falls silent in a transaction is given up in time, and the pool works on afterwards", async () => {
  const begun = performance.now();
  const silent = database.transaction(async (transaction) => {
    await transaction.query({ text: "INSERT INTO notes VALUES (3, 3)" });
    await proxy.set({ kind: "blackHole" });
    await transaction.query({ text: "SELECT 1" });
  });
  const error: unknown = await silent.catch((thrown: unknown) => thrown);
  expect(isUnavailable(error)).toBe(true);
  // One limit for the statement, and none for a rollback that nobody would answer.
  expect(performance.now() - begun).toBeLessThan(1_000);
  await proxy.set({ kind: "pass" });
  const { rows } = await database.query({
    text: "SELECT count(*)::int AS notes FROM notes WHERE id = 3",
  });
  expect(rows).toEqual([{ notes: 0 }]);
});
