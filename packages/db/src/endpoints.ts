// Endpoints: who in a store wants which events, and from which event on.
import { toWireId } from "@thikaa/schema";
import type { ChannelCode, EndpointDisabledData, EventType } from "@thikaa/schema";
import { createCursor, lastSequence } from "./event-cursors.ts";
import type { Database, Queryable } from "./database.ts";
import { insertEvents } from "./events.ts";
import type { NewEvent } from "./events.ts";

/** An open endpoint as the reader of events sees it: it is active, and its instance is neither disabled, revoked nor expired. */
export interface Subscription {
  readonly endpointId: string;
  readonly instanceId: string;
  readonly events: readonly EventType[];
  /** The channels its instance is allowed on. */
  readonly channels: readonly ChannelCode[];
  /** It gets events with a greater number than this; `null` when nobody has marked where it begins. */
  readonly startsAfter: number | null;
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

/** Marks where an endpoint begins that was inserted without `beginEndpoint`: before the first event that was written after it; at the store's end when there is none yet. */
export async function beginEndpointByTime(
  database: Queryable,
  endpoint: { storeId: string; endpointId: string },
): Promise<void> {
  const { storeId, endpointId } = endpoint;
  const { rows } = await database.query<{ sequence: number | null }>({
    text: `SELECT min(v.sequence) - 1 AS sequence FROM endpoints e JOIN events v ON v.store_id = e.store_id AND v.created_at >= e.created_at
           WHERE e.store_id = $1 AND e.id = $2`,
    values: [storeId, endpointId],
  });
  const sequence = rows[0]?.sequence ?? (await lastSequence(database, storeId));
  await createCursor(database, { reader: startReader(endpointId), storeId, sequence });
}

/** Stores with active endpoints and with events that `reader` has not read yet. */
export async function storesWithUnread(database: Queryable, reader: string): Promise<string[]> {
  const { rows } = await database.query<{ store_id: string }>({
    name: "stores-with-unread",
    text: `SELECT s.store_id FROM store_sequences s
           LEFT JOIN event_cursors c ON c.reader = $1 AND c.store_id = s.store_id
           WHERE s.last > coalesce(c.sequence, -1) AND EXISTS (SELECT 1 FROM endpoints e WHERE e.store_id = s.store_id AND e.status = 'active')`,
    values: [reader],
  });
  return rows.map((row) => row.store_id);
}

/** `slow`: it answers, but takes long; `failing`: it did not answer well several times in a row, and is tried rarely, one request at a time. */
export type EndpointHealthState = "healthy" | "slow" | "failing";

/** How an endpoint does, as its shard's owner sees it. */
export interface EndpointHealth {
  readonly endpointId: string;
  /** The URL that was judged; an endpoint that has moved since is left alone. */
  readonly url: string;
  readonly state: EndpointHealthState;
  /** In plain words, without secrets; `null` while healthy. */
  readonly reason: string | null;
  /** Milliseconds since it has been so. */
  readonly ageMs: number;
  /** Milliseconds until it is called again; `null` when nothing holds it back. */
  readonly nextTryMs: number | null;
  /** Set when it is to be called no more: why. */
  readonly disable: string | null;
}

/**
 * Writes down how endpoints do, for people and for the next owner; disables those that are to be called no more, and tells
 * their stores by the event `endpoint.disabled`.
 */
export async function recordEndpointHealth(
  database: Database,
  found: readonly EndpointHealth[],
): Promise<void> {
  if (found.every(({ disable }) => disable === null))
    return void (await writeHealth(database, found));
  await database.transaction(async (transaction) => {
    const disabled = await writeHealth(transaction, found);
    await insertEvents(transaction, disabled.map(disabledEvent));
  });
}

interface DisabledEndpoint {
  readonly [column: string]: unknown;
  readonly store_id: string;
  readonly id: string;
  readonly instance_id: string | null;
  readonly reason: string;
  readonly since: Date;
}

/** Of no channel, so that every other endpoint of the store may have it. */
function disabledEvent(endpoint: DisabledEndpoint): NewEvent {
  const { store_id: storeId, id, instance_id: instanceId, reason, since } = endpoint;
  const data: EndpointDisabledData = {
    endpoint_id: toWireId("endpoint", id),
    instance_id: instanceId === null ? null : toWireId("instance", instanceId),
    reason,
    failing_since: since.toISOString(),
  };
  const everybody = { channel: null, connectionId: null, instanceId: null };
  return { storeId, type: "endpoint.disabled", ...everybody, data };
}

/** Gives the endpoints that it disabled. */
async function writeHealth(
  database: Queryable,
  found: readonly EndpointHealth[],
): Promise<DisabledEndpoint[]> {
  if (found.length === 0) return [];
  const { rows } = await database.query<DisabledEndpoint>({
    name: "endpoint-health-record",
    text: `WITH written AS (
             UPDATE endpoints e SET health = g.state, health_reason = g.reason, health_since = now() - g.age_ms * interval '1 millisecond',
             next_try_at = now() + g.next_try_ms * interval '1 millisecond',
             status = CASE WHEN g.disable IS NULL THEN e.status ELSE 'disabled' END, disabled_reason = coalesce(g.disable, e.disabled_reason)
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[]) AS g (endpoint_id, url, state, reason, age_ms, next_try_ms, disable)
             WHERE e.id = g.endpoint_id AND e.url = g.url AND e.status = 'active'
             RETURNING e.store_id, e.id, e.instance_id, g.disable AS reason, e.health_since AS since
           )
           SELECT * FROM written WHERE reason IS NOT NULL`,
    values: [
      found.map(({ endpointId }) => endpointId),
      found.map(({ url }) => url),
      found.map(({ state }) => state),
      found.map(({ reason }) => reason),
      found.map(({ ageMs }) => Math.round(ageMs)),
      found.map(({ nextTryMs }) => (nextTryMs === null ? null : Math.round(nextTryMs))),
      found.map(({ disable }) => disable),
    ],
  });
  return rows;
}

/** An endpoint that does not do well, for the admin API and the doctor. */
export interface UnwellEndpoint {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly store: string;
  readonly instance_id: string | null;
  readonly url: string;
  readonly health: EndpointHealthState;
  readonly reason: string | null;
  readonly since: Date;
  readonly next_try_at: Date | null;
  /** Set when it was disabled for not answering, which ends it. */
  readonly disabled_reason: string | null;
}

/** Endpoints of a store, or of all, that are slow or failing, also those disabled for it; the longest first. */
export async function listUnwellEndpoints(
  database: Queryable,
  filter: { storeId: string | null; limit: number },
): Promise<UnwellEndpoint[]> {
  const { rows } = await database.query<UnwellEndpoint>({
    text: `SELECT e.id, s.slug AS store, e.instance_id, e.url, e.health, e.health_reason AS reason, e.health_since AS since, e.next_try_at,
             CASE WHEN e.status = 'disabled' THEN e.disabled_reason END AS disabled_reason
           FROM endpoints e JOIN stores s ON s.id = e.store_id
           JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id AND i.status = 'active'
           WHERE e.health <> 'healthy' AND ($1::uuid IS NULL OR e.store_id = $1)
           ORDER BY e.health_since LIMIT $2`,
    values: [filter.storeId, filter.limit],
  });
  return rows;
}
