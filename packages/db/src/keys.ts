// API keys as the gateway needs them: the instance, its store, and how often it has been used in its window.
import type { ChannelCode, Plan } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** Everything that admission needs to know of a key. */
export interface KeyHolder {
  readonly instanceId: string;
  readonly name: string;
  readonly channels: readonly ChannelCode[];
  readonly status: "active" | "disabled" | "revoked";
  readonly rateLimit: number;
  readonly expiresAt: Date | null;
  readonly storeId: string;
  readonly store: string;
  readonly plan: Plan;
  readonly storeStatus: "active" | "inactive";
  readonly defaultCallingCode: string | null;
}

interface KeyRow {
  readonly instance_id: string;
  readonly name: string;
  readonly channels: ChannelCode[];
  readonly status: KeyHolder["status"];
  readonly rate_limit: number;
  readonly expires_at: Date | null;
  readonly store_id: string;
  readonly slug: string;
  readonly plan: Plan;
  readonly store_status: KeyHolder["storeStatus"];
  readonly default_calling_code: string | null;
}

/** Finds a key by the only form of it that is kept; `null` when there is none. */
export async function findKeyHolder(
  database: Queryable,
  keyHash: Buffer,
): Promise<KeyHolder | null> {
  const { rows } = await database.query<KeyRow & { [column: string]: unknown }>({
    name: "keys-find",
    text: `SELECT i.id AS instance_id, i.name, i.channels, i.status, i.rate_limit, i.expires_at, s.id AS store_id, s.slug, s.plan, s.status AS store_status, s.default_calling_code
           FROM instances i JOIN stores s ON s.id = i.store_id WHERE i.key_hash = $1`,
    values: [keyHash],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    instanceId: row.instance_id,
    name: row.name,
    channels: row.channels,
    status: row.status,
    rateLimit: row.rate_limit,
    expiresAt: row.expires_at,
    storeId: row.store_id,
    store: row.slug,
    plan: row.plan,
    storeStatus: row.store_status,
    defaultCallingCode: row.default_calling_code,
  };
}

/** A key's window after `count` more requests were counted into it. */
export interface RateWindow {
  readonly instanceId: string;
  /** Requests in the window, those counted now included; it goes on past the limit. */
  readonly used: number;
  /** Milliseconds until the window ends. */
  readonly remainingMs: number;
}

/**
 * Counts requests into their keys' windows: a window begins with a key's first request and lasts `windowSeconds` by the
 * database's clock, the same for every process. One statement for many keys, in id order against deadlocks.
 */
export async function countRequests(
  database: Queryable,
  counts: readonly { instanceId: string; count: number }[],
  windowSeconds: number,
): Promise<RateWindow[]> {
  const { rows } = await database.query<{
    instance_id: string;
    used: number;
    remaining_ms: number;
  }>({
    name: "rate-count",
    text: `INSERT INTO rate_windows AS w (instance_id, started_at, used)
           SELECT instance_id, clock_timestamp(), count FROM unnest($1::uuid[], $2::int[]) AS given (instance_id, count) ORDER BY instance_id
           ON CONFLICT (instance_id) DO UPDATE SET
             started_at = CASE WHEN w.started_at + $3 * interval '1 second' <= excluded.started_at THEN excluded.started_at ELSE w.started_at END,
             used = CASE WHEN w.started_at + $3 * interval '1 second' <= excluded.started_at THEN excluded.used ELSE w.used + excluded.used END
           RETURNING instance_id, used, ceil(extract(epoch FROM w.started_at + $3 * interval '1 second' - clock_timestamp()) * 1000)::int AS remaining_ms`,
    values: [
      counts.map(({ instanceId }) => instanceId),
      counts.map(({ count }) => count),
      windowSeconds,
    ],
  });
  return rows.map((row) => ({
    instanceId: row.instance_id,
    used: row.used,
    remainingMs: Math.max(0, row.remaining_ms),
  }));
}

/** A store's balance in millionths of a credit. */
export async function readBalance(database: Queryable, storeId: string): Promise<number> {
  const { rows } = await database.query<{ balance_micro: number }>({
    name: "balance-read",
    text: "SELECT balance_micro FROM balances WHERE store_id = $1",
    values: [storeId],
  });
  return rows[0]?.balance_micro ?? 0;
}
