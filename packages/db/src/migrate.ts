// Migrations: numbered SQL files, append-only, applied in order under an advisory lock.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

const folder = join(import.meta.dirname, "../migrations");
// Any constant will do, as long as nothing else in the database uses it.
const lockKey = 7_480_251;

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly digest: string;
}

/** The migrations of this release, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder))
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), "utf8");
      return {
        version: Number(name.slice(0, 4)),
        name,
        sql,
        digest: createHash("sha256").update(sql).digest("hex"),
      };
    }),
  );
}

/** Brings a database to this release's schema. Safe to run from many processes at once; each migration is one transaction. */
export async function migrate(
  url: string,
  onApplied: (name: string) => void = () => {},
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "thikaa-migrate",
    options: "-c timezone=UTC -c lock_timeout=10000",
  });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [lockKey]);
    await client.query(
      "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const applied = new Map(
      (
        await client.query<{ version: number; digest: string }>(
          "SELECT version, digest FROM schema_migrations",
        )
      ).rows.map((row) => [row.version, row.digest]),
    );
    for (const migration of await readMigrations()) {
      const digest = applied.get(migration.version);
      if (digest === undefined) {
        await apply(client, migration);
        onApplied(migration.name);
      } else if (digest !== migration.digest) {
        throw new Error(
          `Migration ${migration.name} was changed after it had been applied. Migrations are append-only: restore it and write a new one.`,
        );
      }
    }
    if ([...applied.keys()].length > 0) await client.query("SELECT ensure_partitions(now())");
  } finally {
    await client.end();
  }
}

/** Refuses a database whose schema this release does not know, naming both numbers. Called by every app at start. */
export async function checkSchema(database: {
  query(statement: { text: string }): Promise<{ rows: unknown[] }>;
}): Promise<void> {
  const expected = (await readMigrations()).at(-1)?.version ?? 0;
  const found = await database
    .query({ text: "SELECT max(version) AS version FROM schema_migrations" })
    .then((result) =>
      Number((result.rows[0] as { version: number | null } | undefined)?.version ?? 0),
    )
    .catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "42P01") return 0;
      throw error;
    });
  if (found < expected)
    throw new Error(
      `The database has schema ${found}, this release needs ${expected}. Run: npm run -s migrate`,
    );
  if (found > expected)
    throw new Error(
      `The database has schema ${found}, this release knows only up to ${expected}. Start a newer release.`,
    );
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      "INSERT INTO schema_migrations (version, name, digest) VALUES ($1, $2, $3)",
      [migration.version, migration.name, migration.digest],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw new Error(
      `Migration ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
