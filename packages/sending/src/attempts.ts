// Attempts at parts: begun before the provider is called, finished with what came of it.
import type { Outcome } from "@thikaa/schema";
import type { Queryable } from "@thikaa/db";
import type { BegunAttempt, FinishedAttempt } from "./claim-types.ts";
import { idRange } from "./id-range.ts";

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

/** An attempt as it stands after its outcome was written. */
export interface WrittenAttempt {
  readonly id: string;
  readonly number: number;
  readonly worker: string;
  readonly epoch: number;
  /** Whether this outcome was new; a repeated or weaker one changes nothing. */
  readonly changed: boolean;
}

/**
 * Writes outcomes to their own attempts, and what the provider took to its part. They are evidence: taken from whoever brings
 * them, also after a take-over wrote `uncertain` for them; only a known outcome is never overwritten.
 */
export async function recordOutcomes(
  transaction: Queryable,
  finished: readonly FinishedAttempt[],
): Promise<Map<string, WrittenAttempt>> {
  const { rows } = await transaction.query<WrittenAttempt & { [column: string]: unknown }>({
    ...recordStatement,
    values: [
      finished.map(({ attempt }) => attempt.storeId),
      finished.map(({ attempt }) => attempt.attemptId),
      finished.map(({ outcome }) => outcome.class),
      finished.map(({ outcome }) => JSON.stringify(detailOf(outcome))),
      finished.map(({ attempt }) => attempt.messageId),
      finished.map(({ attempt }) => attempt.part.n),
      finished.map(({ attempt }) => attempt.connectionId),
      finished.map(({ outcome }) => (outcome.class === "sent" ? outcome.providerMessageId : null)),
      ...idRange(finished.map(({ attempt }) => attempt.attemptId)),
      ...idRange(finished.map(({ attempt }) => attempt.messageId)),
    ],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

// A part that two attempts got through keeps the first id; the other one stays in its attempt.
// The ranges of ids leave one month's partition of each table to be planned and opened.
// When a connection last sent is kept to the second: finer would rewrite its row with each message.
const recordStatement = {
  name: "attempts-record",
  text: `WITH given AS MATERIALIZED (
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::uuid[], $6::int[], $7::uuid[], $8::text[])
             AS given (store_id, id, outcome, detail, message_id, n, connection_id, provider_message_id)
         ), locked AS MATERIALIZED (
           SELECT a.store_id, a.id, a.number, a.worker, a.epoch, a.outcome FROM attempts a JOIN given USING (store_id, id)
           WHERE a.id BETWEEN $9 AND $10 ORDER BY a.id FOR UPDATE OF a
         ), written AS (
           UPDATE attempts a SET outcome = given.outcome, detail = given.detail, finished_at = now()
           FROM given JOIN locked USING (store_id, id)
           WHERE a.store_id = given.store_id AND a.id = given.id AND a.id BETWEEN $9 AND $10 AND (locked.outcome IS NULL OR (locked.outcome = 'uncertain' AND given.outcome <> 'uncertain'))
           RETURNING a.id
         ), taken AS MATERIALIZED (
           SELECT given.* FROM given JOIN written USING (id) WHERE given.outcome = 'sent'
         ), parted AS (
           UPDATE parts p SET status = 'sent', provider_message_id = coalesce(p.provider_message_id, taken.provider_message_id), sent_at = coalesce(p.sent_at, now())
           FROM taken WHERE p.store_id = taken.store_id AND p.message_id = taken.message_id AND p.n = taken.n AND p.message_id BETWEEN $11 AND $12
         ), touched AS (
           UPDATE connections c SET last_sent_at = now() FROM (SELECT DISTINCT store_id, connection_id FROM taken) sender
           WHERE c.store_id = sender.store_id AND c.id = sender.connection_id AND (c.last_sent_at IS NULL OR c.last_sent_at < now() - interval '1 second')
         )
         SELECT locked.id, locked.number, locked.worker, locked.epoch, written.id IS NOT NULL AS changed FROM locked LEFT JOIN written USING (id)`,
};

function detailOf(outcome: Outcome): Record<string, unknown> {
  if (outcome.class === "sent") return { provider_message_id: outcome.providerMessageId };
  if (outcome.class === "throttled")
    return { ...outcome.reason, retry_after_ms: outcome.retryAfterMs, scope: outcome.scope };
  return outcome.reason;
}
