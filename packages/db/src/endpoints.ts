// Endpoints: who in a store wants which events, and from which event on.
import type { ChannelCode, EventType } from "@thikaa/schema";
import { createCursor, lastSequence } from "./event-cursors.ts";
import type { Queryable } from "./database.ts";

/** An endpoint as the reader of events sees it. */
export interface Subscription {
  readonly endpointId: string;
  /** `null` when it belongs to no instance (any more). */
  readonly instanceId: string | null;
  readonly events: readonly EventType[];
  /** The channels its instance is allowed on. */
  readonly channels: readonly ChannelCode[];
  /** Whether the endpoint is active, and its instance is neither disabled, revoked nor expired. */
  readonly active: boolean;
  /** It gets events with a greater number than this. */
  readonly startsAfter: number;
}

/** An endpoint's own cursor never moves: it says where the endpoint began. */
const startReader = (endpointId: string): string => `endpoint:${endpointId}`;

/**
 * Marks where a new endpoint begins: at the store's present end. Called in the transaction that inserts the endpoint; then
 * every event that is committed after that transaction reaches it, and nothing from the store's past does.
 */
export async function beginEndpoint(
  transaction: Queryable,
  endpoint: { storeId: string; endpointId: string },
): Promise<void> {
  const sequence = await lastSequence(transaction, endpoint.storeId);
  await createCursor(transaction, {
    reader: startReader(endpoint.endpointId),
    storeId: endpoint.storeId,
    sequence,
  });
}

/** All endpoints of a store. One that was inserted without `beginEndpoint` is begun here, by its time. */
export async function listSubscriptions(
  transaction: Queryable,
  storeId: string,
): Promise<Subscription[]> {
  const { rows } = await transaction.query<SubscriptionRow>({
    ...subscriptionsStatement,
    values: [storeId],
  });
  const subscriptions: Subscription[] = [];
  for (const row of rows) {
    const startsAfter =
      row.starts_after ?? (await beginByTime(transaction, { storeId, endpointId: row.id }));
    subscriptions.push({
      endpointId: row.id,
      instanceId: row.instance_id,
      events: row.events,
      channels: row.channels ?? [],
      active: row.active,
      startsAfter,
    });
  }
  return subscriptions;
}

/** Stores with endpoints and with events that `reader` has not read yet. */
export async function storesWithUnread(database: Queryable, reader: string): Promise<string[]> {
  const { rows } = await database.query<{ store_id: string }>({
    name: "stores-with-unread",
    text: `SELECT s.store_id FROM store_sequences s
           LEFT JOIN event_cursors c ON c.reader = $1 AND c.store_id = s.store_id
           WHERE s.last > coalesce(c.sequence, -1) AND EXISTS (SELECT 1 FROM endpoints e WHERE e.store_id = s.store_id)`,
    values: [reader],
  });
  return rows.map((row) => row.store_id);
}

/** Ends deliveries to an endpoint, with the reason its owner reads. An endpoint that has moved to another URL since is left alone. */
export async function disableEndpoint(
  database: Queryable,
  endpoint: { storeId: string; endpointId: string; url: string; reason: string },
): Promise<void> {
  await database.query({
    text: "UPDATE endpoints SET status = 'disabled', disabled_reason = $4 WHERE store_id = $1 AND id = $2 AND url = $3 AND status = 'active'",
    values: [endpoint.storeId, endpoint.endpointId, endpoint.url, endpoint.reason],
  });
}

interface SubscriptionRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly instance_id: string | null;
  readonly events: EventType[];
  readonly channels: ChannelCode[] | null;
  readonly active: boolean;
  readonly starts_after: number | null;
}

const subscriptionsStatement = {
  name: "endpoint-subscriptions",
  text: `SELECT e.id, e.instance_id, e.events, i.channels, c.sequence AS starts_after,
           e.status = 'active' AND i.status = 'active' AND coalesce(i.expires_at > now(), true) AS active
         FROM endpoints e
         LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id
         LEFT JOIN event_cursors c ON c.store_id = e.store_id AND c.reader = 'endpoint:' || e.id::text
         WHERE e.store_id = $1 ORDER BY e.id`,
};

/** Before the first event that was written after the endpoint; at the store's end when there is none yet. */
async function beginByTime(
  transaction: Queryable,
  endpoint: { storeId: string; endpointId: string },
): Promise<number> {
  const { rows } = await transaction.query<{ sequence: number | null }>({
    text: `SELECT min(v.sequence) - 1 AS sequence FROM endpoints e JOIN events v ON v.store_id = e.store_id AND v.created_at >= e.created_at
           WHERE e.store_id = $1 AND e.id = $2`,
    values: [endpoint.storeId, endpoint.endpointId],
  });
  const sequence = rows[0]?.sequence ?? (await lastSequence(transaction, endpoint.storeId));
  await createCursor(transaction, {
    reader: startReader(endpoint.endpointId),
    storeId: endpoint.storeId,
    sequence,
  });
  return sequence;
}
