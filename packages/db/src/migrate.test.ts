// Migrations: applied once and in order, by many processes at once, and never changed afterwards; a schema that is not known is refused with both numbers.
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "./database.ts";
import { checkSchema, migrate, readMigrations, requirementOf } from "./migrate.ts";

let testDatabase: TestDatabase;
let database: Database;

beforeEach(async () => {
  testDatabase = await createTestDatabase({ name: "db_migrate", migrate: () => Promise.resolve() });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 2 });
});

afterEach(async () => {
  await database.close();
  await testDatabase.close();
});

const newest = async () => (await readMigrations()).at(-1)?.version ?? 0;

test("migrations are numbered from 1 without a gap", async () => {
  expect((await readMigrations()).map(({ version }) => version)).toEqual(
    (await readMigrations()).map((_, index) => index + 1),
  );
});

test(
  "five processes at once apply each migration once, and once more applies none",
  { timeout: 60_000 },
  async () => {
    const applied: string[] = [];
    await Promise.all(
      Array.from({ length: 5 }, () => migrate(testDatabase.url, (name) => applied.push(name))),
    );
    expect(applied).toEqual((await readMigrations()).map(({ name }) => name));
    await migrate(testDatabase.url, (name) => applied.push(name));
    expect(applied).toHaveLength((await readMigrations()).length);
    await expect(checkSchema(database)).resolves.toBeUndefined();
  },
);

test("partitions reach from last month to two months ahead, and a UUIDv7 of now falls into one", async () => {
  await migrate(testDatabase.url);
  const { rows } = await database.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM pg_inherits WHERE inhparent = 'messages'::regclass",
  });
  expect(rows[0]?.count).toBe(4);
  await database.query({ text: "SELECT ensure_partitions(now() + interval '1 month')" });
  const { rows: later } = await database.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM pg_inherits WHERE inhparent = 'messages'::regclass",
  });
  expect(later[0]?.count).toBe(5);
});

test("a migration that was changed after it had been applied is refused by its name", async () => {
  await migrate(testDatabase.url);
  await database.query({
    text: "UPDATE schema_migrations SET digest = 'another' WHERE version = 1",
  });
  await expect(migrate(testDatabase.url)).rejects.toThrow(/0001-.*append-only/);
});

test("an older schema is refused with both numbers, and what to do", async () => {
  const version = await newest();
  await expect(checkSchema(database)).rejects.toThrow(
    `The database has schema 0, this release needs ${version}. Run: npm run -s migrate`,
  );
});

test("a newer schema that only adds is fine, and one that took away what this release uses is refused with both numbers", async () => {
  const version = await newest();
  const applyFuture = (future: number, requires: number) =>
    database.query({
      text: "INSERT INTO schema_migrations (version, name, digest, requires) VALUES ($1, 'future', '', $2)",
      values: [future, requires],
    });
  await migrate(testDatabase.url);
  await applyFuture(9_001, 0);
  await applyFuture(9_002, version);
  await expect(checkSchema(database)).resolves.toBeUndefined();
  await applyFuture(9_003, version + 1);
  // Expanding once more does not give back what was taken.
  await applyFuture(9_004, 0);
  await expect(checkSchema(database)).rejects.toThrow(
    `The database has schema 9004, which takes away what releases before schema ${version + 1} use; this one knows ${version}. Start a newer release.`,
  );
});

test("a database that an older release migrated is understood, and is given its requirements by the next migration", async () => {
  await migrate(testDatabase.url);
  await database.query({ text: "ALTER TABLE schema_migrations DROP COLUMN requires" });
  await expect(checkSchema(database)).resolves.toBeUndefined();
  await migrate(testDatabase.url);
  const { rows } = await database.query({
    text: "SELECT DISTINCT requires FROM schema_migrations",
  });
  expect(rows).toEqual([{ requires: 0 }]);
});

test("a migration says which apps may still run beside it, and one that says it wrongly is refused by its name", () => {
  expect(requirementOf("0009-a.sql", "-- Drops a.\n-- requires: apps know >= 7\nDROP a;")).toBe(7);
  expect(requirementOf("0009-a.sql", "-- Adds a.\nSELECT 1;")).toBe(0);
  for (const wrong of [
    "-- requires: apps know >= 10",
    "-- requires: 7",
    "-- Requires: apps know >= 7",
  ])
    expect(() => requirementOf("0009-a.sql", wrong)).toThrow(/0009-a\.sql says/);
});
