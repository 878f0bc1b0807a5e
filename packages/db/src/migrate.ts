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
  /** The newest migration that an app must know to go on working beside this one; 0 for one that only expands. */
  readonly requires: number;
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
        requires: requirementOf(name, sql),
      };
    }),
  );
}

/**
 * What a migration that contracts says of itself: `-- requires: apps know >= 7`. Apps that know no migration so new would
 * still use what it takes away, so they refuse to start after it. Throws when the line can't be read.
 */
export function requirementOf(name: string, sql: string): number {
  const line = /^-- *requires:.*$/im.exec(sql)?.[0];
  if (line === undefined) return 0;
  const known = Number(/^-- requires: apps know >= (\d{1,4})$/.exec(line)?.[1]);
  if (Number.isNaN(known) || known > Number(name.slice(0, 4)))
    throw new Error(
      `${name} says "${line}". Write it as "-- requires: apps know >= 7", with a migration that comes no later than itself.`,
    );
  return known;
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
    await client.query(
      "ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS requires integer NOT NULL DEFAULT 0",
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

/**
 * Refuses a database whose schema is older than this release needs, or from which a later release has taken what this one
 * uses; says both numbers. A newer schema that only adds is fine: so old and new apps run side by side during an upgrade.
 */
export async function checkSchema(database: {
  query(statement: { text: string }): Promise<{ rows: unknown[] }>;
}): Promise<void> {
  const known = (await readMigrations()).at(-1)?.version ?? 0;
  const { version, requires } = await readSchema(database);
  if (version < known)
    throw new Error(
      `The database has schema ${version}, this release needs ${known}. Run: npm run -s migrate`,
    );
  if (requires > known)
    throw new Error(
      `The database has schema ${version}, which takes away what releases before schema ${requires} use; this one knows ${known}. Start a newer release.`,
    );
}

interface SchemaState {
  readonly version: number;
  readonly requires: number;
}

async function readSchema(database: Parameters<typeof checkSchema>[0]): Promise<SchemaState> {
  // By way of JSON: a database that an older release migrated has no such column.
  const text = `SELECT coalesce(max(version), 0) AS version, coalesce(max((to_jsonb(m) ->> 'requires')::int), 0) AS requires FROM schema_migrations m`;
  return database.query({ text }).then(
    ({ rows }) => rows[0] as SchemaState,
    (error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "42P01")
        return { version: 0, requires: 0 };
      throw error;
    },
  );
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      "INSERT INTO schema_migrations (version, name, digest, requires) VALUES ($1, $2, $3, $4)",
      [migration.version, migration.name, migration.digest, migration.requires],
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
