// Attempts at parts: begun before the provider is called, finished with what came of it.
import type { Outcome } from "@thikaa/schema";
import type { Queryable } from "@thikaa/db";
import type { BegunAttempt, FinishedAttempt } from "./claim-types.ts";

/** An attempt that is about to be made: its number among those of its message, and the owner's epoch. */
export interface NewAttempt {
  readonly attempt: BegunAttempt;
  readonly number: number;
  readonly epoch: number;
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
    text: `INSERT INTO attempts (store_id, id, subject_id, part, number, epoch, worker)
           SELECT given.*, $7 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::bigint[]) AS given`,
    values: [
      attempts.map(({ attempt }) => attempt.storeId),
      attempts.map(({ attempt }) => attempt.attemptId),
      attempts.map(({ attempt }) => attempt.messageId),
      attempts.map(({ attempt }) => attempt.part.n),
      attempts.map(({ number }) => number),
      attempts.map(({ epoch }) => epoch),
      worker,
    ],
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
 * Writes outcomes to their own attempts. They are evidence: taken from whoever brings them, also after a take-over wrote
 * `uncertain` for them; only a known outcome is never overwritten.
 */
export async function finishAttempts(
  transaction: Queryable,
  finished: readonly FinishedAttempt[],
): Promise<Map<string, WrittenAttempt>> {
  const { rows } = await transaction.query<WrittenAttempt>({
    name: "attempts-finish",
    text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[]) AS given (store_id, id, outcome, detail)),
           locked AS (
             SELECT a.store_id, a.id, a.number, a.worker, a.epoch, a.outcome FROM attempts a JOIN given USING (store_id, id) ORDER BY a.id FOR UPDATE OF a
           ), written AS (
             UPDATE attempts a SET outcome = given.outcome, detail = given.detail, finished_at = now()
             FROM given JOIN locked USING (store_id, id)
             WHERE a.store_id = given.store_id AND a.id = given.id AND (locked.outcome IS NULL OR (locked.outcome = 'uncertain' AND given.outcome <> 'uncertain'))
             RETURNING a.id
           )
           SELECT locked.id, locked.number, locked.worker, locked.epoch, written.id IS NOT NULL AS changed FROM locked LEFT JOIN written USING (id)`,
    values: [
      finished.map(({ attempt }) => attempt.storeId),
      finished.map(({ attempt }) => attempt.attemptId),
      finished.map(({ outcome }) => outcome.class),
      finished.map(({ outcome }) => JSON.stringify(detailOf(outcome))),
    ],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

function detailOf(outcome: Outcome): Record<string, unknown> {
  if (outcome.class === "sent") return { provider_message_id: outcome.providerMessageId };
  if (outcome.class === "throttled")
    return { ...outcome.reason, retry_after_ms: outcome.retryAfterMs, scope: outcome.scope };
  return outcome.reason;
}
