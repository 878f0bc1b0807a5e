// A database of its own for a test file, copied in milliseconds from a template migrated once per run.
import { createHash, randomBytes } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { postgresUrl } from "./provided.ts";

const MIGRATIONS = join(import.meta.dirname, "../../db/migrations");
// Any number, the same in every worker: who holds it may look for the template and make it.
const TEMPLATE_LOCK = 7_482_113;

/** What a test may choose. */
export interface TestDatabaseOptions {
  /** Runs instead of the application's migrations, on an empty database. */
  migrate?: ((url: string) => Promise<void>) | undefined;
  /** A word in the database's name, to find it by in PostgreSQL's views. */
  name?: string | undefined;
}

/** A database that nothing else uses. */
export interface TestDatabase {
  url: string;
  /** Drops it, ending connections that are still open. */
  close(): Promise<void>;
}

/** Creates a fresh database, with the application's tables unless `migrate` is given. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const word = (options.name ?? "test")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .slice(0, 30);
  const name = `${word}_${randomBytes(6).toString("hex")}`;
  await asOwner(async (owner) => {
    const template = options.migrate === undefined ? await ensureTemplate(owner) : "template1";
    // Without forced writes, copying files beats writing each page to the log several times over.
    await owner.query(`create database ${name} template ${template} strategy file_copy`);
  });
  const url = urlOf(name);
  await options.migrate?.(url);
  return {
    url,
    close: () =>
      asOwner(
        async (owner) => void (await owner.query(`drop database if exists ${name} with (force)`)),
      ),
  };
}

/** Makes the template under a lock, so that parallel workers make it once; a failed try leaves nothing half made in use. */
async function ensureTemplate(owner: pg.Client): Promise<string> {
  const template = `template_${await migrationsHash()}`;
  if (await exists(owner, template)) return template;
  await owner.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
  try {
    if (!(await exists(owner, template))) await makeTemplate(owner, template);
  } finally {
    await owner.query("select pg_advisory_unlock($1)", [TEMPLATE_LOCK]);
  }
  return template;
}

async function makeTemplate(owner: pg.Client, template: string): Promise<void> {
  const unfinished = `unfinished_${template}`;
  await owner.query(`drop database if exists ${unfinished} with (force)`);
  await owner.query(`create database ${unfinished}`);
  // Loaded here and not above: a test without the application's tables does not need the package.
  const { migrate } = await import("@thikaa/db");
  await migrate(urlOf(unfinished));
  // A template can only be copied while nobody is connected to it.
  await owner.query(`alter database ${unfinished} with allow_connections false`);
  await owner.query(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1",
    [unfinished],
  );
  await owner.query(`alter database ${unfinished} rename to ${template}`);
}

async function exists(owner: pg.Client, database: string): Promise<boolean> {
  const { rowCount } = await owner.query("select 1 from pg_database where datname = $1", [
    database,
  ]);
  return rowCount !== 0;
}

/** Changes with the migrations, so that watch mode never copies an outdated template. */
async function migrationsHash(): Promise<string> {
  const hash = createHash("sha256");
  const names = await readdir(MIGRATIONS);
  for (const name of names.toSorted())
    hash.update(`${name}\0`).update(await readFile(join(MIGRATIONS, name)));
  return hash.digest("hex").slice(0, 16);
}

async function asOwner(work: (owner: pg.Client) => Promise<void>): Promise<void> {
  const owner = new pg.Client({ connectionString: urlOf("postgres") });
  await owner.connect();
  try {
    await work(owner);
  } finally {
    await owner.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(postgresUrl());
  url.pathname = `/${database}`;
  return url.href;
}
