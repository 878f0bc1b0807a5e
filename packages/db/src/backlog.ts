// The backlog: how much waits in every queue and for how long, at a bounded price; who lives, and what nobody owns.
import { storeShards } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

export interface QueueBacklog {
  readonly queue: "send" | "delivery" | "inbound" | "events";
  /** A channel's code, or `all` for a queue that is not by channel. */
  readonly channel: string;
  /** Counted while the table is small, estimated by a sample of its pages when it is not; `null` where nobody counts. */
  readonly rows: number | null;
  /** How long the oldest that could go now has been due, in seconds; 0 when none could. */
  readonly age: number;
}

export interface Backlog {
  readonly queues: readonly QueueBacklog[];
  /** Messages that a person holds, by channel. */
  readonly held: readonly { readonly channel: string; readonly count: number }[];
  /** Living processes by role. */
  readonly workers: readonly { readonly role: string; readonly count: number }[];
  /** Keys that no living worker owns: shards, and connections that should be on. */
  readonly unowned: readonly { readonly kind: string; readonly count: number }[];
}

/**
 * What is looked at of a long queue, however long it is: its oldest rows, some rows of each connection, and a random sample of
 * its pages. In fewer pages than that every row is counted; of more, counts are estimates, 3 % off as a rule.
 */
export const backlogBounds = { oldest: 5_000, ofConnection: 16, pages: 1_000 } as const;
/** Messages that a person holds are counted up to here. */
const mostHeld = 20_000;

/** Reads the backlog. Costs the same at 100,000 queued and at a million: for one process now and then, not for each scrape. */
export async function readBacklog(database: Queryable): Promise<Backlog> {
  const { oldest, ofConnection } = backlogBounds;
  const shares = await readShares(database);
  const queues = await database.query<QueueBacklog & { [column: string]: unknown }>({
    name: "backlog-queues",
    text: backlogQueues,
    values: [oldest, ofConnection, shares.send, shares.delivery],
  });
  const held = await database.query<{ channel: string; count: number }>({
    text: `SELECT d.channel, count(m.id)::int AS count FROM channel_descriptions d
           LEFT JOIN (SELECT * FROM held_messages ORDER BY deadline_at LIMIT $1) h ON true
           LEFT JOIN messages m ON m.store_id = h.store_id AND m.id = h.message_id AND m.channel = d.channel
           GROUP BY d.channel`,
    values: [mostHeld],
  });
  const workers = await database.query<{ role: string; count: number }>({
    text: "SELECT role, count(*)::int AS count FROM workers WHERE expires_at > now() GROUP BY role",
  });
  const unowned = await database.query<{ kind: string; count: number }>({
    text: `SELECT a.kind, count(*)::int AS count FROM assignments a
           LEFT JOIN connections c ON a.kind = 'connection' AND c.id::text = a.key
           WHERE (a.kind <> 'connection' OR c.desired = 'on')
             AND NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = a.worker AND w.expires_at > now())
           GROUP BY a.kind`,
  });
  return { queues: queues.rows, held: held.rows, workers: workers.rows, unowned: unowned.rows };
}

/** The part of each table's pages to be read, in percent. */
async function readShares(database: Queryable): Promise<{ send: number; delivery: number }> {
  const { rows } = await database.query<{ send: number; delivery: number }>({
    name: "backlog-shares",
    text: `SELECT ${shareOf("send_queue")} AS send, ${shareOf("delivery_queue")} AS delivery`,
    values: [backlogBounds.pages],
  });
  return rows[0] ?? { send: 100, delivery: 100 };
}

function shareOf(name: string): string {
  const pages = `(pg_relation_size('${name}') / current_setting('block_size')::int)`;
  return `least(100, 100.0 * $1::int / greatest(1, ${pages}))::float8`;
}

// Ids are UUIDv7: the primary keys of the queues are in the order of their making. Every connection and every endpoint that
// something waits for is found by one look into an index each, so that none is hidden behind the others' rows.
/** The statement of `readBacklog`, for its plan; its parameters are the bounds and the shares of pages. */
export const backlogQueues = `
  WITH RECURSIVE sending AS (
    (SELECT connection_id FROM send_queue ORDER BY connection_id LIMIT 1)
    UNION ALL
    SELECT next.connection_id FROM sending s CROSS JOIN LATERAL (
      SELECT connection_id FROM send_queue WHERE connection_id > s.connection_id ORDER BY connection_id LIMIT 1
    ) next
  ), heads AS (
    SELECT s.connection_id, first.* FROM sending s CROSS JOIN LATERAL (
      SELECT due_at, scheduled FROM send_queue WHERE connection_id = s.connection_id ORDER BY scheduled, address, seq LIMIT $2
    ) first
  ), sampled AS (
    SELECT connection_id, due_at, scheduled FROM send_queue TABLESAMPLE SYSTEM ($3::float8)
  ), oldest AS (
    SELECT connection_id, due_at, scheduled FROM send_queue ORDER BY message_id LIMIT $1
  ), seen AS (
    SELECT connection_id, count(*) AS head, 0 AS estimate, min(due_at) FILTER (WHERE NOT scheduled) AS due_at FROM heads GROUP BY 1
    UNION ALL
    SELECT connection_id, 0, count(*) * 100 / $3::float8, min(due_at) FILTER (WHERE NOT scheduled) FROM sampled GROUP BY 1
    UNION ALL
    SELECT connection_id, 0, 0, min(due_at) FILTER (WHERE NOT scheduled) FROM oldest GROUP BY 1
  ), sends AS (
    -- Of few rows the head is all there is, and no estimate.
    SELECT c.channel, min(seen.due_at) AS due_at,
      CASE WHEN max(seen.head) < $2 THEN max(seen.head) ELSE greatest(max(seen.head), round(max(seen.estimate))) END AS rows
    FROM seen JOIN connections c ON c.id = seen.connection_id GROUP BY c.id, c.channel
  ), delivering AS (
    SELECT first.* FROM generate_series(0, ${storeShards - 1}) AS shards (shard) CROSS JOIN LATERAL (
      SELECT q.shard, q.endpoint_id, q.due_at FROM delivery_queue q
      WHERE q.shard = shards.shard AND q.worker IS NULL ORDER BY q.endpoint_id, q.due_at LIMIT 1
    ) first
    UNION ALL
    SELECT next.* FROM delivering d CROSS JOIN LATERAL (
      SELECT q.shard, q.endpoint_id, q.due_at FROM delivery_queue q
      WHERE q.shard = d.shard AND q.worker IS NULL AND q.endpoint_id > d.endpoint_id ORDER BY q.endpoint_id, q.due_at LIMIT 1
    ) next
  )
  SELECT 'send' AS queue, d.channel, coalesce(sum(s.rows), 0)::float8 AS rows, ${ageOf("min(s.due_at)")} AS age
  FROM channel_descriptions d LEFT JOIN sends s ON s.channel = d.channel GROUP BY d.channel
  UNION ALL
  SELECT 'delivery', 'all', (SELECT round(count(*) * 100 / $4::float8) FROM delivery_queue TABLESAMPLE SYSTEM ($4::float8))::float8,
    ${ageOf("min(d.due_at) FILTER (WHERE e.status = 'active')")}
  FROM delivering d JOIN endpoints e ON e.id = d.endpoint_id
  UNION ALL
  SELECT 'inbound', 'all', NULL, ${ageOf("(SELECT due_at FROM inbound_items ORDER BY id LIMIT 1)")}
  UNION ALL
  SELECT 'events', 'all', NULL, ${ageOf("min(first.created_at)")}
  FROM generate_series(0, ${storeShards - 1}) AS shards (shard)
  CROSS JOIN LATERAL (SELECT created_at FROM events_unnumbered u WHERE u.shard = shards.shard ORDER BY position LIMIT 1) first`;

function ageOf(moment: string): string {
  return `greatest(0, coalesce(extract(epoch FROM clock_timestamp() - ${moment}), 0))::float8`;
}
