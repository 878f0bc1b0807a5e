// The backlog: how much waits in every queue and for how long, in one bounded statement; who lives, and what nobody owns.
import { storeShards } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

export interface QueueBacklog {
  readonly queue: "send" | "delivery" | "inbound" | "events";
  /** A channel's code, or `all` for a queue that is not by channel. */
  readonly channel: string;
  /** Counted among the oldest `backlogLimit` of the queue; `null` where nobody counts. */
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

/** No more rows of a queue are looked at, the oldest first, however long it is. */
export const backlogLimit = 20_000;

/** Reads the backlog. Costs the same at 20,000 queued and at a million: for one process now and then, not for each scrape. */
export async function readBacklog(database: Queryable): Promise<Backlog> {
  const queues = await database.query<QueueBacklog & { [column: string]: unknown }>({
    name: "backlog-queues",
    text: backlogQueues,
    values: [backlogLimit],
  });
  const held = await database.query<{ channel: string; count: number }>({
    text: `SELECT d.channel, count(m.id)::int AS count FROM channel_descriptions d
           LEFT JOIN (SELECT * FROM held_messages ORDER BY deadline_at LIMIT $1) h ON true
           LEFT JOIN messages m ON m.store_id = h.store_id AND m.id = h.message_id AND m.channel = d.channel
           GROUP BY d.channel`,
    values: [backlogLimit],
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

// Ids are UUIDv7: the primary keys of the queues are in the order of their making.
/** The statement of `readBacklog`, for its plan; `$1` is the limit. */
export const backlogQueues = `
  WITH sends AS (
    SELECT connection_id, due_at, scheduled FROM send_queue ORDER BY message_id LIMIT $1
  ), deliveries AS (
    SELECT endpoint_id, due_at, worker FROM delivery_queue ORDER BY delivery_id LIMIT $1
  )
  SELECT 'send' AS queue, d.channel, count(s.due_at)::int AS rows,
    ${ageOf("min(s.due_at) FILTER (WHERE NOT s.scheduled)")} AS age
  FROM channel_descriptions d
  LEFT JOIN (SELECT c.channel, sends.* FROM sends JOIN connections c ON c.id = sends.connection_id) s ON s.channel = d.channel
  GROUP BY d.channel
  UNION ALL
  SELECT 'delivery', 'all', count(*)::int, ${ageOf("min(d.due_at) FILTER (WHERE d.worker IS NULL AND e.status = 'active')")}
  FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id
  UNION ALL
  SELECT 'inbound', 'all', NULL, ${ageOf("(SELECT due_at FROM inbound_items ORDER BY id LIMIT 1)")}
  UNION ALL
  SELECT 'events', 'all', NULL, ${ageOf("min(first.created_at)")}
  FROM generate_series(0, ${storeShards - 1}) AS shards (shard)
  CROSS JOIN LATERAL (SELECT created_at FROM events_unnumbered u WHERE u.shard = shards.shard ORDER BY position LIMIT 1) first`;

function ageOf(moment: string): string {
  return `greatest(0, coalesce(extract(epoch FROM clock_timestamp() - ${moment}), 0))::float8`;
}
