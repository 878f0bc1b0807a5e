// Deliveries: one event to one endpoint, queued, claimed under a limit for each endpoint, tried and settled.
import { newId } from "@thikaa/schema";
import type { EventType } from "@thikaa/schema";
import type { Database, Queryable } from "./database.ts";
import { disableEndpoint } from "./endpoints.ts";
import { storeShard } from "./events.ts";

export interface NewDelivery {
  readonly storeId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly sequence: number;
}

/** A shard of deliveries that this worker owns. */
export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
}

export interface DeliveryClaim {
  readonly worker: string;
  readonly shards: readonly OwnedShard[];
  /** At most so many deliveries in all. */
  readonly limit: number;
  /** At most so many of one endpoint under way at once. */
  readonly perEndpoint: number;
  /** How many of each endpoint are under way already. */
  readonly busy: ReadonlyMap<string, number>;
}

/** A delivery taken, with its next attempt begun and committed. */
export interface ClaimedDelivery {
  readonly deliveryId: string;
  readonly attemptId: string;
  /** 1 for the first. */
  readonly attempt: number;
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
  readonly data: unknown;
  readonly createdAt: Date;
}

/**
 * What came of an attempt. `delivered` is evidence and always stands; `failed` ends it; `retry` tries again after `waitMs`;
 * `release` gives it back untried, so that the attempt does not count.
 */
export interface SettledDelivery {
  readonly claim: ClaimedDelivery;
  readonly verdict: "delivered" | "failed" | "retry" | "release";
  readonly waitMs: number;
  /** A word for the attempt's row. */
  readonly outcome: string;
  /** For people: what happened, without secrets. `null` when it was delivered. */
  readonly error: string | null;
  readonly httpStatus: number | null;
  readonly detail: unknown;
  /** Set when the endpoint asked never to be called again: why it is disabled. */
  readonly disable: string | null;
}

/** Queues deliveries, in the transaction that moves the reader's cursor. */
export async function insertDeliveries(
  transaction: Queryable,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  await transaction.query({
    name: "deliveries-insert",
    text: `WITH given AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::int[]) AS g (id, store_id, endpoint_id, event_id, sequence, shard)
           ), made AS (
             INSERT INTO deliveries (store_id, id, endpoint_id, event_id, sequence) SELECT store_id, id, endpoint_id, event_id, sequence FROM given
           )
           INSERT INTO delivery_queue (delivery_id, store_id, endpoint_id, event_id, shard) SELECT id, store_id, endpoint_id, event_id, shard FROM given`,
    values: [
      deliveries.map(() => newId()),
      deliveries.map((delivery) => delivery.storeId),
      deliveries.map((delivery) => delivery.endpointId),
      deliveries.map((delivery) => delivery.eventId),
      deliveries.map((delivery) => delivery.sequence),
      deliveries.map((delivery) => storeShard(delivery.storeId)),
    ],
  });
}

/**
 * Takes what is due, one of each endpoint before a second of any, and begins its attempts; when it resolves they are
 * committed. Shards that another worker holds since give nothing. What is due to a disabled endpoint waits.
 */
export async function claimDeliveries(
  database: Database,
  claim: DeliveryClaim,
): Promise<ClaimedDelivery[]> {
  if (claim.shards.length === 0 || claim.limit <= 0) return [];
  const busy = [...claim.busy];
  const values = [
    claim.worker,
    claim.shards.map(({ shard }) => shard),
    claim.shards.map(({ epoch }) => epoch),
    busy.map(([endpointId]) => endpointId),
    busy.map(([, count]) => count),
    claim.perEndpoint,
    claim.limit,
  ];
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.query<ClaimedRow>({ ...claimStatement, values });
    const claimed = rows.map(toClaimed);
    if (claimed.length > 0) await beginDeliveryAttempts(transaction, claimed, claim.worker);
    return claimed;
  });
}

/** Writes what came of attempts, all in one transaction. Safe to repeat. */
export async function settleDeliveries(
  database: Database,
  worker: string,
  settled: readonly SettledDelivery[],
): Promise<void> {
  if (settled.length === 0) return;
  const ordered = settled.toSorted((left, right) =>
    left.claim.deliveryId < right.claim.deliveryId ? -1 : 1,
  );
  await database.transaction(async (transaction) => {
    await transaction.query({ ...settleStatement, values: [worker, ...settleColumns(ordered)] });
    for (const { claim, disable } of ordered) {
      if (disable !== null)
        await disableEndpoint(transaction, {
          storeId: claim.storeId,
          endpointId: claim.endpointId,
          url: claim.url,
          reason: disable,
        });
    }
  });
}

/**
 * What former owners of shards had begun is due again, and its open attempts are marked uncertain. Done at a take-over, and now
 * and then: a claim of an owner whose lease was just ending can be committed after the take-over.
 */
export async function recoverDeliveries(
  database: Queryable,
  shards: readonly OwnedShard[],
): Promise<void> {
  await database.query({
    name: "deliveries-recover",
    text: `WITH freed AS (
             UPDATE delivery_queue q SET worker = NULL, epoch = NULL, claimed_at = NULL, due_at = least(q.due_at, now())
             FROM unnest($1::int[], $2::bigint[]) AS owned (shard, epoch)
             WHERE q.shard = owned.shard AND q.worker IS NOT NULL AND q.epoch < owned.epoch RETURNING q.store_id, q.delivery_id
           )
           UPDATE attempts a SET outcome = 'uncertain', finished_at = now(), detail = '{"message": "The worker ended before the answer was known."}'
           FROM freed WHERE a.store_id = freed.store_id AND a.subject_id = freed.delivery_id AND a.outcome IS NULL`,
    values: [shards.map(({ shard }) => shard), shards.map(({ epoch }) => epoch)],
  });
}

async function beginDeliveryAttempts(
  transaction: Queryable,
  claimed: readonly ClaimedDelivery[],
  worker: string,
): Promise<void> {
  await transaction.query({
    name: "delivery-attempts-begin",
    text: `INSERT INTO attempts (store_id, id, subject_id, number, worker, epoch)
           SELECT g.store_id, g.id, g.subject_id, g.number, $1, g.epoch
           FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::bigint[]) AS g (store_id, id, subject_id, number, epoch)`,
    values: [
      worker,
      claimed.map((delivery) => delivery.storeId),
      claimed.map((delivery) => delivery.attemptId),
      claimed.map((delivery) => delivery.deliveryId),
      claimed.map((delivery) => delivery.attempt),
      claimed.map((delivery) => delivery.epoch),
    ],
  });
}

function settleColumns(settled: readonly SettledDelivery[]): unknown[][] {
  return [
    settled.map(({ claim }) => claim.storeId),
    settled.map(({ claim }) => claim.deliveryId),
    settled.map(({ claim }) => claim.attemptId),
    settled.map(({ claim }) => claim.attempt),
    settled.map(({ claim }) => claim.epoch),
    settled.map(({ verdict }) => verdict),
    settled.map(({ waitMs }) => Math.round(waitMs)),
    settled.map(({ outcome }) => outcome),
    settled.map(({ error }) => error),
    settled.map(({ httpStatus }) => httpStatus),
    settled.map(({ detail }) => JSON.stringify(detail)),
  ];
}

interface ClaimedRow {
  readonly [column: string]: unknown;
  readonly delivery_id: string;
  readonly attempts: number;
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
  readonly data: unknown;
  readonly created_at: Date;
}

function toClaimed(row: ClaimedRow): ClaimedDelivery {
  return {
    deliveryId: row.delivery_id,
    attemptId: newId(),
    attempt: row.attempts,
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

// `waiting` hops through the index from endpoint to endpoint: it costs the same however much one of them has queued.
const claimStatement = {
  name: "deliveries-claim",
  text: `WITH RECURSIVE owned AS (
           SELECT s.shard, s.epoch FROM unnest($2::int[], $3::bigint[]) AS s (shard, epoch)
           JOIN assignments a ON a.kind = 'webhook-shard' AND a.key = s.shard::text AND a.worker = $1 AND a.epoch = s.epoch
           JOIN workers w ON w.id = a.worker AND w.expires_at > now()
         ), waiting (shard, epoch, endpoint_id) AS (
           SELECT o.shard, o.epoch, (SELECT q.endpoint_id FROM delivery_queue q WHERE q.shard = o.shard AND q.worker IS NULL ORDER BY q.endpoint_id LIMIT 1) FROM owned o
           UNION ALL
           SELECT w.shard, w.epoch, (SELECT q.endpoint_id FROM delivery_queue q WHERE q.shard = w.shard AND q.worker IS NULL AND q.endpoint_id > w.endpoint_id ORDER BY q.endpoint_id LIMIT 1)
           FROM waiting w WHERE w.endpoint_id IS NOT NULL
         ), open AS (
           SELECT w.shard, w.epoch, w.endpoint_id, e.instance_id, e.url, e.secret_sealed, coalesce(b.count, 0) AS busy,
             CASE WHEN e.previous_secret_until > now() THEN e.previous_secret_sealed END AS previous_sealed
           FROM waiting w JOIN endpoints e ON e.id = w.endpoint_id AND e.status = 'active'
           LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id
           LEFT JOIN unnest($4::uuid[], $5::int[]) AS b (endpoint_id, count) ON b.endpoint_id = w.endpoint_id
           WHERE i.id IS NULL OR (i.status = 'active' AND coalesce(i.expires_at > now(), true))
         ), ranked AS (
           SELECT open.*, q.delivery_id, q.due_at, open.busy + row_number() OVER (PARTITION BY open.endpoint_id ORDER BY q.due_at) AS turn
           FROM open CROSS JOIN LATERAL (
             SELECT d.delivery_id, d.due_at FROM delivery_queue d
             WHERE d.shard = open.shard AND d.endpoint_id = open.endpoint_id AND d.worker IS NULL AND d.due_at <= now()
             ORDER BY d.due_at LIMIT greatest(0, $6::int - open.busy) FOR UPDATE SKIP LOCKED
           ) q
         ), taken AS (
           SELECT * FROM ranked ORDER BY turn, due_at LIMIT $7
         ), claimed AS (
           UPDATE delivery_queue q SET worker = $1, epoch = taken.epoch, claimed_at = now(), attempts = q.attempts + 1
           FROM taken WHERE q.delivery_id = taken.delivery_id
           RETURNING q.delivery_id, q.attempts, q.shard, q.epoch, q.store_id, q.endpoint_id, q.event_id, taken.instance_id, taken.url, taken.secret_sealed, taken.previous_sealed
         )
         SELECT claimed.*, v.type, v.sequence, v.data, v.created_at FROM claimed
         LEFT JOIN events v ON v.store_id = claimed.store_id AND v.id = claimed.event_id`,
};

const settleStatement = {
  name: "deliveries-settle",
  text: `WITH given AS (
           SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::bigint[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::int[], $12::jsonb[])
             AS g (store_id, delivery_id, attempt_id, number, epoch, verdict, wait_ms, outcome, error, http_status, detail)
         ), finished AS (
           UPDATE attempts a SET finished_at = now(), outcome = given.outcome, detail = given.detail
           FROM given WHERE a.store_id = given.store_id AND a.id = given.attempt_id
         ), ended AS (
           DELETE FROM delivery_queue q USING given
           WHERE q.delivery_id = given.delivery_id
             AND (given.verdict = 'delivered' OR (given.verdict = 'failed' AND q.worker = $1 AND q.epoch = given.epoch))
           RETURNING q.delivery_id
         ), later AS (
           UPDATE delivery_queue q SET worker = NULL, epoch = NULL, claimed_at = NULL, due_at = now() + given.wait_ms * interval '1 millisecond',
             attempts = q.attempts - CASE given.verdict WHEN 'release' THEN 1 ELSE 0 END
           FROM given WHERE q.delivery_id = given.delivery_id AND given.verdict IN ('retry', 'release') AND q.worker = $1 AND q.epoch = given.epoch
         )
         UPDATE deliveries d SET attempts = greatest(d.attempts, given.number - CASE given.verdict WHEN 'release' THEN 1 ELSE 0 END),
           last_status = given.http_status, last_error = given.error,
           status = CASE WHEN given.verdict = 'delivered' THEN 'delivered' WHEN ended.delivery_id IS NOT NULL THEN 'failed' ELSE d.status END,
           finished_at = CASE WHEN given.verdict = 'delivered' OR ended.delivery_id IS NOT NULL THEN now() ELSE d.finished_at END
         FROM given LEFT JOIN ended USING (delivery_id)
         WHERE d.store_id = given.store_id AND d.id = given.delivery_id AND d.status <> 'delivered'`,
};
