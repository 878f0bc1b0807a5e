// Deliveries: one event to one endpoint, from the outcome of an attempt to its end, and what dead workers left of them.
import type { Queryable } from "./database.ts";
import type { ClaimedDelivery, OwnedShard } from "./delivery-claims.ts";

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
}

/** Writes what came of attempts, all in one statement. Safe to repeat. */
export async function settleDeliveries(
  database: Queryable,
  worker: string,
  settled: readonly SettledDelivery[],
): Promise<void> {
  if (settled.length === 0) return;
  const ordered = settled.toSorted((left, right) =>
    left.claim.deliveryId < right.claim.deliveryId ? -1 : 1,
  );
  await database.query({ ...settleStatement, values: [worker, ...settleColumns(ordered)] });
}

/**
 * What former owners of shards had begun is due again, and its attempts are written down as uncertain. Done at a take-over, and
 * now and then: a claim of an owner whose lease was just ending can be committed after the take-over. The same happens to what
 * `worker` itself claimed long ago without knowing it, because the answer to its claim was lost; `underWay` are those it knows of.
 */
export async function recoverDeliveries(
  database: Queryable,
  own: { worker: string; shards: readonly OwnedShard[]; underWay: readonly string[] },
): Promise<void> {
  await database.query({
    name: "deliveries-recover",
    text: `WITH lost AS (
             SELECT q.delivery_id, q.worker, q.epoch, q.claimed_at FROM delivery_queue q
             JOIN unnest($1::int[], $2::bigint[]) AS owned (shard, epoch) ON owned.shard = q.shard
             WHERE q.worker IS NOT NULL AND (q.epoch < owned.epoch
               OR (q.worker = $3 AND q.claimed_at < now() - interval '1 minute' AND q.delivery_id <> ALL ($4::uuid[])))
             FOR UPDATE OF q
           ), freed AS (
             UPDATE delivery_queue q SET worker = NULL, epoch = NULL, claimed_at = NULL, due_at = least(q.due_at, now())
             FROM lost WHERE q.delivery_id = lost.delivery_id
             RETURNING q.store_id, q.delivery_id, q.attempt_id, q.attempts, lost.worker, lost.epoch, lost.claimed_at
           )
           INSERT INTO attempts (store_id, id, subject_id, number, worker, epoch, started_at, finished_at, outcome, detail)
           SELECT store_id, attempt_id, delivery_id, attempts, worker, epoch, claimed_at, now(), 'uncertain', '{"message": "The worker ended before the answer was known."}'
           FROM freed WHERE attempt_id IS NOT NULL ON CONFLICT DO NOTHING`,
    values: [
      own.shards.map(({ shard }) => shard),
      own.shards.map(({ epoch }) => epoch),
      own.worker,
      own.underWay,
    ],
  });
}

/** Ends some of what waits to a disabled endpoint, and says why; resolves to how many. */
export async function endDeliveries(
  database: Queryable,
  endpoint: { shard: number; endpointId: string; limit: number },
): Promise<number> {
  const { rowCount } = await database.query({
    text: `WITH reason AS (
             SELECT id, coalesce(disabled_reason, 'by its owner') AS words FROM endpoints WHERE id = $2 AND status = 'disabled'
           ), gone AS (
             DELETE FROM delivery_queue q USING (
               SELECT d.delivery_id FROM reason JOIN delivery_queue d ON d.endpoint_id = reason.id
               WHERE d.shard = $1 AND d.worker IS NULL LIMIT $3 FOR UPDATE OF d SKIP LOCKED
             ) first WHERE q.delivery_id = first.delivery_id RETURNING q.store_id, q.delivery_id
           )
           UPDATE deliveries d SET status = 'failed', finished_at = now(),
             last_error = concat_ws(' ', d.last_error, 'Not tried any more: the webhook was disabled (' || reason.words || ').')
           FROM gone, reason WHERE d.store_id = gone.store_id AND d.id = gone.delivery_id`,
    values: [endpoint.shard, endpoint.endpointId, endpoint.limit],
  });
  return rowCount ?? 0;
}

function settleColumns(settled: readonly SettledDelivery[]): unknown[][] {
  return [
    settled.map(({ claim }) => claim.storeId),
    settled.map(({ claim }) => claim.deliveryId),
    settled.map(({ claim }) => claim.attemptId),
    settled.map(({ claim }) => claim.attempt),
    settled.map(({ claim }) => claim.epoch),
    settled.map(({ claim }) => claim.claimedAt),
    settled.map(({ verdict }) => verdict),
    settled.map(({ waitMs }) => Math.round(waitMs)),
    settled.map(({ outcome }) => outcome),
    settled.map(({ error }) => error),
    settled.map(({ httpStatus }) => httpStatus),
    settled.map(({ detail }) => JSON.stringify(detail)),
  ];
}

// The attempt may be there already, as uncertain: then another worker took over, and this is the better evidence.
const settleStatement = {
  name: "deliveries-settle",
  text: `WITH given AS (
           SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::bigint[], $7::timestamptz[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::int[], $13::jsonb[])
             AS g (store_id, delivery_id, attempt_id, number, epoch, claimed_at, verdict, wait_ms, outcome, error, http_status, detail)
         ), finished AS (
           INSERT INTO attempts (store_id, id, subject_id, number, worker, epoch, started_at, finished_at, outcome, detail)
           SELECT store_id, attempt_id, delivery_id, number, $1, epoch, claimed_at, now(), outcome, detail FROM given
           ON CONFLICT (store_id, id) DO UPDATE SET finished_at = excluded.finished_at, outcome = excluded.outcome, detail = excluded.detail
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
