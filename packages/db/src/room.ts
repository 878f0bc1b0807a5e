// Room for a pool: whether PostgreSQL's max_connections leaves so many connections, said in both numbers.
import type { Database } from "./database.ts";

/** Connections to the whole server. */
export interface Room {
  readonly maxConnections: number;
  /** Of them only for superusers and reserved roles. */
  readonly reserved: number;
  /** Open now, by anybody, this asking one among them. */
  readonly inUse: number;
}

/** Reads how many connections PostgreSQL allows and has. */
export async function readRoom(database: Pick<Database, "query">): Promise<Room> {
  const { rows } = await database.query<Room & { [column: string]: unknown }>({
    text: `SELECT current_setting('max_connections')::int AS "maxConnections",
             current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
             (SELECT sum(numbackends)::int FROM pg_stat_database) AS "inUse"`,
  });
  const [room] = rows;
  if (room === undefined) throw new Error("PostgreSQL did not tell its settings.");
  return room;
}

const change = "Set DATABASE_POOL_SIZE lower, run fewer processes, or raise max_connections";

/**
 * Refuses a pool that PostgreSQL can't hold: one larger than it ever allows, or while no connection at all is left. What
 * is left for a part of it is told as a warning: the process starts, and waits for connections when it needs them all.
 */
export async function checkRoom(database: Database, warn: (text: string) => void): Promise<void> {
  const { poolSize } = database;
  const room = await readRoom(database).catch((error: unknown) => {
    throw isFull(error)
      ? new Error(
          `PostgreSQL has no connection left for this process's pool of ${poolSize}: ${error.message}. ${change}.`,
          { cause: error },
        )
      : error;
  });
  const allowed = room.maxConnections - room.reserved;
  const numbers = `max_connections is ${room.maxConnections}, ${room.reserved} of them reserved`;
  if (poolSize > allowed)
    throw new Error(
      `This process's pool wants ${poolSize} connections, PostgreSQL allows ${allowed} in all (${numbers}). ${change}.`,
    );
  // The one that asks is of this pool.
  const left = allowed - (room.inUse - 1);
  if (left < poolSize)
    warn(
      `This process's pool wants ${poolSize} connections, PostgreSQL has ${left} left (${numbers}, ${room.inUse - 1} in use). ${change}.`,
    );
}

function isFull(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "53300";
}
