// Attempts at parts: begun before the provider is called, finished with what came of it.
import type { Outcome } from "@thikaa/schema";
import type { Queryable } from "@thikaa/db";
import type { BegunAttempt, FinishedAttempt } from "./claim-types.ts";
import { idRange } from "./id-range.ts";
import type { QueueRow } from "./transitions.ts";

/** An attempt that is about to be made: its number among those of its message, and the owner's epoch. */
export interface NewAttempt {
  readonly attempt: BegunAttempt;
  readonly number: number;
  readonly epoch: number;
}

/** SQL: writes the rows of attempts that are about to be made; its first seven values are `attemptColumns`. */
export const insertAttempts = `INSERT INTO attempts (store_id, id, subject_id, part, number, epoch, worker)
           SELECT given.*, $7 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::bigint[]) AS given`;

export function attemptColumns(worker: string, attempts: readonly NewAttempt[]): unknown[] {
  return [
    attempts.map(({ attempt }) => attempt.storeId),
    attempts.map(({ attempt }) => attempt.attemptId),
    attempts.map(({ attempt }) => attempt.messageId),
    attempts.map(({ attempt }) => attempt.part.n),
    attempts.map(({ number }) => number),
    attempts.map(({ epoch }) => epoch),
    worker,
  ];
}

/** Writes the rows of attempts that are about to be made. */
export async function beginAttempts(
  transaction: Queryable,
  worker: string,
  attempts: readonly NewAttempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  await transaction.query({
    name: "attempts-begin",
    text: insertAttempts,
    values: attemptColumns(worker, attempts),
  });
}

/** What an outcome changed: its own attempt, and the message's row in the queue, locked, when it is still there. */
export interface WrittenOutcome {
  readonly number: number;
  readonly worker: string;
  readonly epoch: number;
  readonly row: QueueRow | null;
}

interface WrittenRow extends QueueRow {
  readonly id: string;
  readonly number: number;
  readonly worker: string;
  readonly epoch: number;
  readonly queued: boolean;
  readonly [column: string]: unknown;
}

/**
 * Writes outcomes to their own attempts, and what the provider took to its part; locks the messages' rows in the queue. They
 * are evidence: taken from whoever brings them, also after a take-over wrote `uncertain` for them; only a known outcome is
 * never overwritten. Returns those that were new, by the attempt's id; a repeated or weaker one changes nothing.
 */
export async function recordOutcomes(
  transaction: Queryable,
  finished: readonly FinishedAttempt[],
): Promise<Map<string, WrittenOutcome>> {
  // In one order, so that two who bring the same outcomes wait for each other in one direction only.
  const sorted = finished.toSorted((left, right) =>
    left.attempt.attemptId < right.attempt.attemptId ? -1 : 1,
  );
  const { rows } = await transaction.query<WrittenRow>({
    ...recordStatement,
    values: [
      sorted.map(({ attempt }) => attempt.storeId),
      sorted.map(({ attempt }) => attempt.attemptId),
      sorted.map(({ outcome }) => outcome.class),
      sorted.map(({ outcome }) => JSON.stringify(detailOf(outcome))),
      sorted.map(({ attempt }) => attempt.messageId),
      sorted.map(({ attempt }) => attempt.part.n),
      sorted.map(({ attempt }) => attempt.connectionId),
      sorted.map(({ outcome }) => (outcome.class === "sent" ? outcome.providerMessageId : null)),
      ...idRange(sorted.map(({ attempt }) => attempt.attemptId)),
      ...idRange(sorted.map(({ attempt }) => attempt.messageId)),
    ],
  });
  return new Map(rows.map(({ id, queued, ...row }) => [id, { ...row, row: queued ? row : null }]));
}

// A part that two attempts got through keeps the first id, and what was reported of it; the other one stays in its attempt.
// The ranges of ids leave one month's partition of each table to be opened.
// When a connection last sent is kept to the second: finer would rewrite its row with each message.
export const recordStatement = {
  name: "outcomes-record",
  text: `WITH written AS MATERIALIZED (
           UPDATE attempts a SET outcome = given.outcome, detail = given.detail, finished_at = now()
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::uuid[], $6::int[], $7::uuid[], $8::text[])
             AS given (store_id, id, outcome, detail, message_id, n, connection_id, provider_message_id)
           WHERE a.store_id = given.store_id AND a.id = given.id AND a.id BETWEEN $9 AND $10
             AND (a.outcome IS NULL OR (a.outcome = 'uncertain' AND given.outcome <> 'uncertain'))
           RETURNING a.id, a.number, a.worker, a.epoch, a.outcome, given.store_id, given.message_id, given.n, given.connection_id, given.provider_message_id
         ), taken AS MATERIALIZED (
           SELECT * FROM written WHERE outcome = 'sent'
         ), parted AS (
           UPDATE parts p SET status = CASE WHEN p.status IN ('delivered', 'read') THEN p.status ELSE 'sent' END, provider_message_id = coalesce(p.provider_message_id, taken.provider_message_id), sent_at = coalesce(p.sent_at, now())
           FROM taken WHERE p.store_id = taken.store_id AND p.message_id = taken.message_id AND p.n = taken.n AND p.message_id BETWEEN $11 AND $12
         ), touched AS (
           UPDATE connections c SET last_sent_at = now() FROM (SELECT DISTINCT store_id, connection_id FROM taken) sender
           WHERE c.store_id = sender.store_id AND c.id = sender.connection_id AND (c.last_sent_at IS NULL OR c.last_sent_at < now() - interval '1 second')
         )
         SELECT written.id, written.number, written.worker, written.epoch, queue.message_id IS NOT NULL AS queued, queue.*
         FROM written LEFT JOIN LATERAL (
           SELECT q.message_id, q.attempts, q.failures, q.poisons, q.deadline_at <= now() AS overdue, q.worker IS NOT NULL AS claimed, coalesce(c.settings ->> 'on_uncertain', 'retry') AS on_uncertain
           FROM send_queue q JOIN connections c ON c.id = q.connection_id WHERE q.message_id = written.message_id FOR UPDATE OF q
         ) queue ON true`,
};

function detailOf(outcome: Outcome): Record<string, unknown> {
  if (outcome.class === "sent") return { provider_message_id: outcome.providerMessageId };
  if (outcome.class === "throttled")
    return { ...outcome.reason, retry_after_ms: outcome.retryAfterMs, scope: outcome.scope };
  return outcome.reason;
}
