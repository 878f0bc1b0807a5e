// Migrations: applied once and in order, by many processes at once, and never changed afterwards; a schema that is not known is refused with both numbers.
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "./database.ts";
import { checkSchema, migrate, readMigrations } from "./migrate.ts";

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
    expect(applied).toHaveLength(await newest());
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

test("an older and a newer schema are refused with both numbers, and what to do", async () => {
  const version = await newest();
  await expect(checkSchema(database)).rejects.toThrow(
    `The database has schema 0, this release needs ${version}. Run: npm run -s migrate`,
  );
  await migrate(testDatabase.url);
  await database.query({
    text: "INSERT INTO schema_migrations (version, name, digest) VALUES (9999, 'future', '')",
  });
  await expect(checkSchema(database)).rejects.toThrow(
    `The database has schema 9999, this release knows only up to ${version}.`,
  );
});
