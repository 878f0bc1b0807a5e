// The door to PostgreSQL: a pool and transactions.
import pg from "pg";
import type { Queryable, Statement } from "./queryable.ts";
import { Session } from "./session.ts";

export { isAway, isUnavailable, isUniqueViolation } from "./not-now.ts";
export type { Queryable, Statement } from "./queryable.ts";

export interface DatabaseConfig {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly maxConnections?: number;
  /** Milliseconds after which a statement without any answer is given up; 35 s, above the server's own limit. */
  readonly queryTimeoutMs?: number;
}

export interface TransactionOptions {
  /** The longest wait for a lock, in milliseconds; 5 s otherwise. */
  readonly lockTimeoutMs?: number;
}

const queryTimeoutMs = 35_000;

// Statements are planned once for a connection: with partitioned tables, planning costs more than running. A plan made while
// a table was small must still hold when it has grown: none begins with reading a whole table, and rows are joined by
// looking each one up, not by reading a range of a table into a hash.
const sessionOptions = [
  "timezone=UTC",
  "statement_timeout=30000",
  "lock_timeout=5000",
  "idle_in_transaction_session_timeout=10000",
  "plan_cache_mode=force_generic_plan",
  "enable_seqscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
]
  .map((setting) => `-c ${setting}`)
  .join(" ");

// int8 holds sums of millionths and sequences: both stay far below 2^53, so a number is exact.
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === 20 && format !== "binary"
      ? Number
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** How a pool is used just now. */
export interface PoolUse {
  readonly busy: number;
  readonly idle: number;
  /** Statements and transactions that wait for a connection. */
  readonly waiting: number;
}

export class Database implements Queryable {
  /** The most connections that it opens. */
  readonly poolSize: number;
  readonly #pool: pg.Pool;
  readonly #queryTimeoutMs: number;

  constructor(config: DatabaseConfig) {
    this.poolSize = config.maxConnections ?? 10;
    // Longer than the server's own limit: it strikes only when the server no longer answers at all.
    this.#queryTimeoutMs = config.queryTimeoutMs ?? queryTimeoutMs;
    this.#pool = new pg.Pool({
      connectionString: config.url,
      application_name: config.applicationName,
      max: this.poolSize,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      types,
      options: sessionOptions,
    });
    // An idle client whose server went away reports here; the pool drops it, and the next query says what is wrong.
    this.#pool.on("error", () => {});
  }

  /** How the pool is used now; read from memory. */
  get use(): PoolUse {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    statement: Statement,
  ): Promise<pg.QueryResult<Row>> {
    return Session.use(this.#pool, this.#queryTimeoutMs, (session) =>
      session.query<Row>(statement),
    );
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. A failed COMMIT throws too: its outcome is unknown. */
  async transaction<Result>(
    work: (transaction: Queryable) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    const begin =
      options.lockTimeoutMs === undefined
        ? "BEGIN"
        : `BEGIN; SET LOCAL lock_timeout = ${Math.trunc(options.lockTimeoutMs)}`;
    return Session.use(this.#pool, this.#queryTimeoutMs, async (session) => {
      try {
        await session.query({ text: begin });
        const result = await work({ query: (statement) => session.query(statement) });
        await session.query({ text: "COMMIT" });
        return result;
      } catch (error) {
        if (!session.isBroken)
          await session
            .query({ text: "ROLLBACK" })
            .catch((failure: Error) => session.break(failure));
        throw error;
      }
    });
  }

  /** Closes every connection; queries in flight are finished first. */
  async close(): Promise<void> {
    await this.#pool.end();
  }
}
