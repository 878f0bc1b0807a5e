// The house's health as its doctor asks for it: processes that died, endpoints in trouble, pools against what PostgreSQL allows, the clock.
import type { Queryable } from "./database.ts";

/** A process that ended without giving its lease back. */
export interface DeadWorker {
  readonly role: string;
  readonly host: string;
  readonly since: Date;
}

/** The pools of the living processes of a role. */
export interface RolePools {
  readonly role: string;
  readonly processes: number;
  /** Connections that they may open together. */
  readonly connections: number;
}

/** An endpoint that takes nothing, or takes it too slowly. */
export interface FailingEndpoint {
  readonly store: string;
  readonly id: string;
  /** `disabled`, `failing` or `slow`. */
  readonly status: string;
  /** In plain words, without secrets. */
  readonly reason: string | null;
}

/** Processes whose lease ran out in the last minutes. */
export async function listDeadWorkers(database: Queryable, minutes: number): Promise<DeadWorker[]> {
  const { rows } = await database.query<DeadWorker & { [column: string]: unknown }>({
    text: `SELECT role, host, expires_at AS since FROM workers
           WHERE expires_at <= now() AND expires_at > now() - $1 * interval '1 minute' ORDER BY expires_at DESC LIMIT 20`,
    values: [minutes],
  });
  return rows;
}

/** What the living processes may open. */
export async function listPools(database: Queryable): Promise<RolePools[]> {
  const { rows } = await database.query<RolePools & { [column: string]: unknown }>({
    text: `SELECT role, count(*)::int AS processes, coalesce(sum(pool), 0)::int AS connections
           FROM workers WHERE expires_at > now() GROUP BY role ORDER BY role`,
  });
  return rows;
}

/** Endpoints that are slow or failing, and those that were disabled though their owner wants them; at most 20. */
export async function listFailingEndpoints(database: Queryable): Promise<FailingEndpoint[]> {
  const { rows } = await database.query<FailingEndpoint & { [column: string]: unknown }>({
    text: `SELECT s.slug AS store, e.id, CASE e.status WHEN 'active' THEN e.health ELSE e.status END AS status,
             coalesce(e.disabled_reason, e.health_reason) AS reason
           FROM endpoints e JOIN stores s ON s.id = e.store_id
           LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id
           WHERE coalesce(i.status = 'active', true)
             AND CASE e.status WHEN 'active' THEN e.health <> 'healthy' ELSE e.disabled_reason <> 'taken away by its owner' END
           ORDER BY e.id LIMIT 20`,
  });
  return rows;
}

/** The database's clock, in milliseconds since 1970. */
export async function readClock(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ now: number }>({
    text: "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now",
  });
  return rows[0]?.now ?? Number.NaN;
}
