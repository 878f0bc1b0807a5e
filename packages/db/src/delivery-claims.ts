// The owner's view of the delivery queue: which endpoints have something waiting, and the claim of what is due to them.
import { newId } from "@thikaa/schema";
import type { EventType } from "@thikaa/schema";
import type { Queryable } from "./database.ts";
import type { EndpointHealthState } from "./endpoints.ts";

/** A shard of deliveries that this worker owns. */
export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
}

/** At most `room` deliveries of one endpoint. */
export interface LaneClaim extends OwnedShard {
  readonly endpointId: string;
  readonly room: number;
}

/** A delivery taken, with its next attempt begun and committed. */
export interface ClaimedDelivery {
  readonly deliveryId: string;
  readonly attemptId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly claimedAt: Date;
  readonly shard: number;
  readonly epoch: number;
  readonly storeId: string;
  readonly endpointId: string;
  readonly instanceId: string | null;
  readonly url: string;
  readonly secretSealed: string;
  /** The secret before the last change, while it still counts. */
  readonly previousSecretSealed: string | null;
  /** `null` when the event is older than events are kept. */
  readonly event: DeliveredEvent | null;
}

export interface DeliveredEvent {
  readonly id: string;
  readonly type: EventType;
  readonly sequence: number;
  /** The JSON text exactly as it was written. */
  readonly data: string;
  readonly createdAt: Date;
}

/** An endpoint to which something waits. */
export interface WaitingEndpoint {
  readonly shard: number;
  readonly endpointId: string;
  /** Milliseconds until the first of it is due; 0 when it is. */
  readonly waitMs: number;
  readonly url: string;
  /** `held`: its key is disabled or expired, so it waits; `disabled`: nothing is sent to it ever again. */
  readonly standing: "open" | "held" | "disabled";
  readonly health: EndpointHealthState;
  /** How long it has been so, in milliseconds. */
  readonly healthAgeMs: number;
}

/** Takes what is due within the room of each lane and begins its attempts: one statement, committed when it resolves. A shard that another worker holds since gives nothing. */
export async function claimDeliveries(
  database: Queryable,
  claim: { worker: string; lanes: readonly LaneClaim[] },
): Promise<ClaimedDelivery[]> {
  const { worker, lanes } = claim;
  if (lanes.length === 0) return [];
  const most = lanes.reduce((sum, { room }) => sum + room, 0);
  const { rows } = await database.query<ClaimedRow>({
    ...claimStatement,
    values: [
      worker,
      lanes.map(({ shard }) => shard),
      lanes.map(({ epoch }) => epoch),
      lanes.map(({ endpointId }) => endpointId),
      lanes.map(({ room }) => room),
      Array.from({ length: most }, () => newId()),
    ],
  });
  return rows.map(toClaimed);
}

/** Every endpoint of the shards to which something waits. It costs a step in the index for each, however much one of them has waiting. */
export async function surveyDeliveries(
  database: Queryable,
  shards: readonly OwnedShard[],
): Promise<WaitingEndpoint[]> {
  const { rows } = await database.query<WaitingRow>({
    ...surveyStatement,
    values: [shards.map(({ shard }) => shard)],
  });
  return rows.map((row) => ({
    shard: row.shard,
    endpointId: row.endpoint_id,
    waitMs: row.wait_ms,
    url: row.url,
    standing: row.standing,
    health: row.health,
    healthAgeMs: row.health_age_ms,
  }));
}

interface ClaimedRow {
  readonly [column: string]: unknown;
  readonly delivery_id: string;
  readonly attempt_id: string;
  readonly attempts: number;
  readonly claimed_at: Date;
  readonly shard: number;
  readonly epoch: number;
  readonly store_id: string;
  readonly endpoint_id: string;
  readonly instance_id: string | null;
  readonly url: string;
  readonly secret_sealed: string;
  readonly previous_sealed: string | null;
  readonly event_id: string;
  readonly type: EventType | null;
  readonly sequence: number;
  readonly data: string;
  readonly created_at: Date;
}

interface WaitingRow {
  readonly [column: string]: unknown;
  readonly shard: number;
  readonly endpoint_id: string;
  readonly wait_ms: number;
  readonly url: string;
  readonly standing: WaitingEndpoint["standing"];
  readonly health: EndpointHealthState;
  readonly health_age_ms: number;
}

function toClaimed(row: ClaimedRow): ClaimedDelivery {
  return {
    deliveryId: row.delivery_id,
    attemptId: row.attempt_id,
    attempt: row.attempts,
    claimedAt: row.claimed_at,
    shard: row.shard,
    epoch: row.epoch,
    storeId: row.store_id,
    endpointId: row.endpoint_id,
    instanceId: row.instance_id,
    url: row.url,
    secretSealed: row.secret_sealed,
    previousSecretSealed: row.previous_sealed,
    event:
      row.type === null
        ? null
        : {
            id: row.event_id,
            type: row.type,
            sequence: row.sequence,
            data: row.data,
            createdAt: row.created_at,
          },
  };
}

// Each lane reads its own beginning of the index and nothing of any other's. What is taken goes into an array, since the planner
// expects a tenth of the table behind a limit that it can't know, and would read all of it.
const claimStatement = {
  name: "deliveries-claim",
  text: `WITH open AS (
           SELECT l.shard, l.epoch, l.endpoint_id, l.room, e.instance_id, e.url, e.secret_sealed,
             CASE WHEN e.previous_secret_until > now() THEN e.previous_secret_sealed END AS previous_sealed
           FROM unnest($2::int[], $3::bigint[], $4::uuid[], $5::int[]) AS l (shard, epoch, endpoint_id, room)
           JOIN assignments a ON a.kind = 'webhook-shard' AND a.key = l.shard::text AND a.worker = $1 AND a.epoch = l.epoch
           JOIN workers w ON w.id = a.worker AND w.expires_at > now()
           JOIN endpoints e ON e.id = l.endpoint_id AND e.status = 'active'
           LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id
           WHERE i.id IS NULL OR (i.status = 'active' AND coalesce(i.expires_at > now(), true))
         ), due AS (
           SELECT open.epoch, q.delivery_id FROM open CROSS JOIN LATERAL (
             SELECT d.delivery_id FROM delivery_queue d
             WHERE d.shard = open.shard AND d.endpoint_id = open.endpoint_id AND d.worker IS NULL AND d.due_at <= now()
             ORDER BY d.due_at LIMIT open.room FOR UPDATE SKIP LOCKED
           ) q
         ), picked AS (
           SELECT array_agg(delivery_id) AS ids, array_agg(epoch) AS epochs FROM due
         ), claimed AS (
           UPDATE delivery_queue q SET worker = $1, epoch = picked.epochs[array_position(picked.ids, q.delivery_id)], claimed_at = now(),
             attempts = q.attempts + 1, attempt_id = ($6::uuid[])[array_position(picked.ids, q.delivery_id)]
           FROM picked WHERE q.delivery_id = ANY (picked.ids)
           RETURNING q.delivery_id, q.attempt_id, q.attempts, q.claimed_at, q.shard, q.epoch, q.store_id, q.endpoint_id, q.event_id
         )
         SELECT claimed.*, open.instance_id, open.url, open.secret_sealed, open.previous_sealed,
           v.type, v.sequence, v.data::text AS data, v.created_at
         FROM claimed JOIN open ON open.endpoint_id = claimed.endpoint_id
         LEFT JOIN events v ON v.store_id = claimed.store_id AND v.id = claimed.event_id`,
};

// Hops through the index from endpoint to endpoint; the first row of each is the one that is due first.
const surveyStatement = {
  name: "deliveries-survey",
  text: `WITH RECURSIVE waiting AS (
           SELECT first.* FROM unnest($1::int[]) AS o (shard) CROSS JOIN LATERAL (
             SELECT q.shard, q.endpoint_id, q.due_at FROM delivery_queue q
             WHERE q.shard = o.shard AND q.worker IS NULL ORDER BY q.endpoint_id, q.due_at LIMIT 1
           ) first
           UNION ALL
           SELECT next.* FROM waiting w CROSS JOIN LATERAL (
             SELECT q.shard, q.endpoint_id, q.due_at FROM delivery_queue q
             WHERE q.shard = w.shard AND q.worker IS NULL AND q.endpoint_id > w.endpoint_id ORDER BY q.endpoint_id, q.due_at LIMIT 1
           ) next
         )
         SELECT w.shard, w.endpoint_id, greatest(0, extract(epoch FROM w.due_at - now()) * 1000)::float8 AS wait_ms, e.url, e.health,
           greatest(0, extract(epoch FROM now() - e.health_since) * 1000)::float8 AS health_age_ms,
           CASE WHEN e.status = 'disabled' THEN 'disabled'
             WHEN i.id IS NULL OR (i.status = 'active' AND coalesce(i.expires_at > now(), true)) THEN 'open' ELSE 'held' END AS standing
         FROM waiting w JOIN endpoints e ON e.id = w.endpoint_id
         LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id`,
};
