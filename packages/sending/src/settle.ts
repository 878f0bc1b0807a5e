// Settling: the outcomes of provider calls become parts, statuses, retries and refunds, in one transaction a batch.
import { backoffMs, newId, partPlan } from "@thikaa/schema";
import type { Outcome } from "@thikaa/schema";
import type { Database, Queryable } from "@thikaa/db";
import { beginAttempts, recordOutcomes } from "./attempts.ts";
import type { NewAttempt, WrittenOutcome } from "./attempts.ts";
import type { BegunAttempt, FinishedAttempt } from "./claim-types.ts";
import { confirm, finish } from "./finish.ts";
import type { FinishedMessage } from "./finish.ts";
import { decide } from "./transitions.ts";
import type { Step } from "./transitions.ts";

export interface Settled {
  /** Attempts begun at the following parts of messages; to be made right away. */
  readonly next: BegunAttempt[];
  /** Stores whose events wait for numbers: ring `unnumbered` for them. */
  readonly eventsFor: string[];
}

/** One outcome with its attempt's row and what its message is to do next. */
interface Settling {
  readonly attempt: BegunAttempt;
  readonly outcome: Outcome;
  readonly written: WrittenOutcome;
  readonly step: Step;
}

/**
 * Writes outcomes and what follows from them. Safe to call again with the same ones: a known outcome changes nothing.
 * Throws when PostgreSQL is away; nothing is lost as long as the caller keeps the outcomes and tries again.
 */
export async function settle(
  database: Database,
  finished: readonly FinishedAttempt[],
): Promise<Settled> {
  if (finished.length === 0) return { next: [], eventsFor: [] };
  return database.transaction(async (transaction) => {
    const written = await recordOutcomes(transaction, finished);
    const settling = finished.flatMap(({ attempt, outcome }): Settling[] => {
      const own = written.get(attempt.attemptId);
      if (own === undefined) return [];
      const step = decide({ outcome, attempt, number: own.number, row: own.row });
      return [{ attempt, outcome, written: own, step }];
    });
    await flagDuplicates(transaction, settling);
    await requeue(transaction, settling);
    const confirmed = await confirm(
      transaction,
      settling.flatMap(({ attempt, outcome, step }) =>
        step.kind === "late" && outcome.class === "sent" ? [attempt] : [],
      ),
    );
    const changed = confirmed.union(await finish(transaction, settling.flatMap(toFinished)));
    const next = [
      ...(await beginNext(transaction, settling)),
      ...(await findBegun(transaction, finished, written)),
    ];
    return {
      next,
      eventsFor: [
        ...new Set(
          settling
            .filter(({ attempt }) => changed.has(attempt.messageId))
            .map(({ attempt }) => attempt.storeId),
        ),
      ],
    };
  });
}

/** A command that was made twice has done the same as one. */
async function flagDuplicates(
  transaction: Queryable,
  settling: readonly Settling[],
): Promise<void> {
  const doubled = settling.filter(
    ({ attempt, step }) =>
      step.kind === "late" && step.duplicate && attempt.sameWhenRepeated !== true,
  );
  if (doubled.length === 0) return;
  await transaction.query({
    text: "UPDATE messages SET possible_duplicate = true, updated_at = now() WHERE store_id = ANY($1) AND id = ANY($2) AND NOT content ? 'change'",
    values: [
      doubled.map(({ attempt }) => attempt.storeId),
      doubled.map(({ attempt }) => attempt.messageId),
    ],
  });
}

async function requeue(transaction: Queryable, settling: readonly Settling[]): Promise<void> {
  const waiting = settling.flatMap(({ attempt, step }) =>
    step.kind === "wait" ? [{ attempt, step }] : [],
  );
  if (waiting.length === 0) return;
  await transaction.query({
    name: "settle-requeue",
    text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::int[], $3::boolean[], $4::boolean[], $5::uuid[], $6::jsonb[], $7::boolean[]) AS given (message_id, wait_ms, counts, uncertain, store_id, reason, poison)),
           told AS (UPDATE messages m SET status = 'queued', reason = given.reason, updated_at = now() FROM given WHERE m.store_id = given.store_id AND m.id = given.message_id AND NOT m.final)
           UPDATE send_queue q SET worker = NULL, epoch = NULL, due_at = now() + given.wait_ms * interval '1 millisecond', uncertain = given.uncertain,
             failures = q.failures + given.counts::int, poisons = q.poisons + given.poison::int, first_failed_at = CASE WHEN given.counts THEN coalesce(q.first_failed_at, now()) ELSE q.first_failed_at END
           FROM given WHERE q.message_id = given.message_id`,
    values: [
      waiting.map(({ attempt }) => attempt.messageId),
      waiting.map(({ step }) => step.waitMs ?? backoffMs(step.failures)),
      waiting.map(({ step }) => step.counts),
      waiting.map(({ step }) => step.uncertain),
      waiting.map(({ attempt }) => attempt.storeId),
      waiting.map(({ step }) => JSON.stringify(step.reason)),
      waiting.map(({ step }) => step.poison),
    ],
  });
}

function toFinished({ attempt, step }: Settling): FinishedMessage[] {
  if (step.kind !== "finish") return [];
  return [
    {
      storeId: attempt.storeId,
      messageId: attempt.messageId,
      status: step.status,
      reason: step.reason,
      ...(step.final === undefined ? {} : { final: step.final }),
    },
  ];
}

/** The claim goes on over the parts of a message: the next part's attempt begins in the transaction that ends the last. */
async function beginNext(
  transaction: Queryable,
  settling: readonly Settling[],
): Promise<BegunAttempt[]> {
  const going = settling.filter(({ step }) => step.kind === "next-part");
  const begun: BegunAttempt[] = [];
  for (const [worker, group] of Map.groupBy(going, ({ written }) => written.worker)) {
    const attempts = await nextAttempts(transaction, group);
    await beginAttempts(transaction, worker, attempts);
    begun.push(...attempts.map(({ attempt }) => attempt));
  }
  return begun;
}

/**
 * The attempts that an earlier call began for the same outcomes: its commit was lost on the way, and nobody has been told
 * to make them.
 */
async function findBegun(
  transaction: Queryable,
  finished: readonly FinishedAttempt[],
  written: ReadonlyMap<string, WrittenOutcome>,
): Promise<BegunAttempt[]> {
  const repeated = finished.filter(
    ({ attempt, outcome }) =>
      outcome.class === "sent" &&
      attempt.part.n < attempt.partCount &&
      !written.has(attempt.attemptId),
  );
  if (repeated.length === 0) return [];
  const { rows } = await transaction.query<{
    id: string;
    subject_id: string;
    n: number;
    payload: unknown;
  }>({
    name: "settle-find-begun",
    text: `SELECT a.id, a.subject_id, p.n, p.payload FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (store_id, message_id, n)
           JOIN send_queue q ON q.message_id = given.message_id AND q.worker IS NOT NULL
           JOIN attempts a ON a.store_id = given.store_id AND a.subject_id = given.message_id AND a.part = given.n + 1
             AND a.number = q.attempts AND a.worker = q.worker AND a.epoch = q.epoch AND a.outcome IS NULL
           JOIN parts p ON p.store_id = given.store_id AND p.message_id = given.message_id AND p.n = a.part`,
    values: [
      repeated.map(({ attempt }) => attempt.storeId),
      repeated.map(({ attempt }) => attempt.messageId),
      repeated.map(({ attempt }) => attempt.part.n),
    ],
  });
  return rows.flatMap((row) => {
    const before = repeated.find(({ attempt }) => attempt.messageId === row.subject_id);
    if (before === undefined) return [];
    return [
      {
        ...before.attempt,
        attemptId: row.id,
        part: partPlan.parse({ n: row.n, payload: row.payload }),
      },
    ];
  });
}

async function nextAttempts(
  transaction: Queryable,
  going: readonly Settling[],
): Promise<NewAttempt[]> {
  const { rows } = await transaction.query<{
    message_id: string;
    n: number;
    payload: unknown;
    attempts: number;
  }>({
    name: "settle-next-part",
    text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (store_id, message_id, n)),
           counted AS (UPDATE send_queue q SET attempts = q.attempts + 1 FROM given WHERE q.message_id = given.message_id RETURNING q.message_id, q.attempts)
           SELECT p.message_id, p.n, p.payload, counted.attempts FROM parts p JOIN given ON p.store_id = given.store_id AND p.message_id = given.message_id AND p.n = given.n
           JOIN counted ON counted.message_id = p.message_id`,
    values: [
      going.map(({ attempt }) => attempt.storeId),
      going.map(({ attempt }) => attempt.messageId),
      going.map(({ attempt }) => attempt.part.n + 1),
    ],
  });
  return rows.flatMap((row) => {
    const before = going.find(({ attempt }) => attempt.messageId === row.message_id);
    if (before === undefined) return [];
    return [
      {
        attempt: {
          ...before.attempt,
          attemptId: newId(),
          part: partPlan.parse({ n: row.n, payload: row.payload }),
        },
        number: row.attempts,
        epoch: before.written.epoch,
      },
    ];
  });
}
