// Checks that each test database is fresh, alone, and gone afterwards.
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { createTestDatabase, postgresUrl, waitFor, type TestDatabase } from "./index.ts";

const opened: TestDatabase[] = [];
afterAll(async () => void (await Promise.all(opened.map((database) => database.close()))));

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test("a test database has the application's tables", async () => {
  const database = await createTestDatabase();
  opened.push(database);
  const rows = await query(
    database.url,
    "select count(*)::int as n from information_schema.tables where table_schema = 'public'",
  );
  expect(rows[0]?.n).toBeGreaterThan(5);
});

test("many created at once are all there, and what one writes no other sees", async () => {
  const databases = await Promise.all(
    Array.from({ length: 6 }, () => createTestDatabase({ name: "Side by side" })),
  );
  opened.push(...databases);
  await query(databases[0]?.url ?? "", "create table only_here (id int)");
  const found = await Promise.all(
    databases.map(({ url }) => query(url, "select to_regclass('only_here') is not null as found")),
  );
  expect(found.map((rows) => rows[0]?.found)).toEqual([true, false, false, false, false, false]);
  expect(new URL(databases[0]?.url ?? "").pathname).toMatch(/^\/side_by_side_/);
});

test("a migration of the test's own runs on an empty database", async () => {
  const database = await createTestDatabase({
    migrate: async (url) => void (await query(url, "create table mine (id int)")),
  });
  opened.push(database);
  const tables = await query(
    database.url,
    "select table_name from information_schema.tables where table_schema = 'public'",
  );
  expect(tables).toEqual([{ table_name: "mine" }]);
});

test("closing drops the database even while somebody is connected", async () => {
  const database = await createTestDatabase({ migrate: () => Promise.resolve() });
  const name = new URL(database.url).pathname.slice(1);
  const client = new pg.Client({ connectionString: database.url });
  let lost = false;
  client.on("error", () => (lost = true));
  await client.connect();
  await database.close();
  await waitFor(() => lost, { what: "the open connection to be ended" });
  expect(await query(postgresUrl(), `select 1 from pg_database where datname = '${name}'`)).toEqual(
    [],
  );
});
