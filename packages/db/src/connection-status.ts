// Connections as the Messaging API shows and uses them; a state is believed only while the worker that reported it lives.
import { channelDescription } from "@thikaa/schema";
import type { Capabilities, ChannelCode, ConnectionReason, ConnectionState } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

export interface ConnectionView {
  readonly id: string;
  readonly channel: ChannelCode;
  readonly name: string;
  readonly address: string | null;
  readonly isDefault: boolean;
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  readonly since: Date;
  readonly priceMicro: number | null;
  readonly lastInboundAt: Date | null;
  readonly lastSentAt: Date | null;
}

interface ConnectionRow {
  readonly id: string;
  readonly channel: ChannelCode;
  readonly name: string;
  readonly address: string | null;
  readonly is_default: boolean;
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  readonly since: Date;
  readonly price_micro: number | null;
  readonly last_inbound_at: Date | null;
  readonly last_sent_at: Date | null;
}

const noWorker = JSON.stringify({
  code: "no_worker",
  message:
    "No process of this channel is running just now. It goes on by itself as soon as one does.",
} satisfies ConnectionReason);

const unowned = `NOT EXISTS (SELECT 1 FROM assignments a JOIN workers w ON w.id = a.worker WHERE a.kind = 'connection' AND a.key = c.id::text AND w.expires_at > now())`;

/**
 * SQL: the state and reason of the connection `c` as they may be shown. What an owner reported holds only while it lives;
 * `attention`, `pairing` and `off` wait for a person and not for an owner.
 */
export const shownState = `CASE WHEN c.state IN ('connected', 'limited', 'recovering') AND ${unowned} THEN 'recovering' ELSE c.state END AS state,
  CASE WHEN c.state IN ('connecting', 'connected', 'limited', 'recovering') AND ${unowned} THEN '${noWorker}'::jsonb ELSE c.reason END AS reason`;

/** A store's connections with their states as they are now, defaults first. */
export async function listConnectionViews(
  database: Queryable,
  storeId: string,
): Promise<ConnectionView[]> {
  const { rows } = await database.query<ConnectionRow & { [column: string]: unknown }>({
    name: "connections-views",
    text: `SELECT c.id, c.channel, c.name, c.address, c.is_default, ${shownState}, c.since, c.price_micro, c.last_inbound_at, c.last_sent_at
           FROM connections c WHERE c.store_id = $1 AND c.desired <> 'removed' ORDER BY c.is_default DESC, c.created_at`,
    values: [storeId],
  });
  return rows.map(toView);
}

/** How many messages wait on each connection. Counts up to `most` a connection, since an exact million helps nobody. */
export async function countQueued(
  database: Queryable,
  connectionIds: readonly string[],
  most = 10_000,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.query<{ id: string; queued: number }>({
    text: `SELECT given.id, (SELECT count(*)::int FROM (SELECT 1 FROM send_queue q WHERE q.connection_id = given.id LIMIT $2) waiting) AS queued FROM unnest($1::uuid[]) AS given (id)`,
    values: [connectionIds, most],
  });
  return new Map(rows.map((row) => [row.id, row.queued]));
}

/** What the channels' apps said of themselves; a channel whose app never started is missing. */
export async function readCapabilities(
  database: Queryable,
): Promise<ReadonlyMap<ChannelCode, Capabilities>> {
  const { rows } = await database.query<{ channel: ChannelCode; description: unknown }>({
    text: "SELECT channel, description FROM channel_descriptions",
  });
  return new Map(
    rows.flatMap((row) => {
      const parsed = channelDescription.safeParse(row.description);
      return parsed.success ? [[row.channel, parsed.data.capabilities] as const] : [];
    }),
  );
}

/** When a person last wrote on a connection; `undefined` when we never heard of them. */
export async function findLastInbound(
  database: Queryable,
  where: { storeId: string; connectionId: string; address: string },
): Promise<Date | null | undefined> {
  const { rows } = await database.query<{ last_inbound_at: Date | null }>({
    name: "conversations-last-inbound",
    text: "SELECT max(last_inbound_at) AS last_inbound_at FROM conversations WHERE store_id = $1 AND connection_id = $2 AND address = $3 HAVING max(last_inbound_at) IS NOT NULL",
    values: [where.storeId, where.connectionId, where.address],
  });
  return rows[0]?.last_inbound_at;
}

function toView(row: ConnectionRow): ConnectionView {
  return {
    id: row.id,
    channel: row.channel,
    name: row.name,
    address: row.address,
    isDefault: row.is_default,
    state: row.state,
    reason: row.reason,
    since: row.since,
    priceMicro: row.price_micro,
    lastInboundAt: row.last_inbound_at,
    lastSentAt: row.last_sent_at,
  };
}
