// How a batch of messages is decided: all of it at once where every store can pay, one by one where one can't.
import type { Database, Queryable } from "@thikaa/db";
import { isOverdrawn, writeAccepted } from "./accept-statement.ts";
import type { AcceptResult, Candidate } from "./accept-types.ts";
import { giveBackKeys, takeKeys } from "./idempotency.ts";

export interface Decision {
  readonly results: Map<string, AcceptResult>;
  readonly accepted: readonly Candidate[];
  /** Candidates whose Idempotency-Key was taken before. */
  readonly repeats: readonly Candidate[];
}

/** Decides candidates and commits the decision. */
export type Decide = (database: Database, candidates: readonly Candidate[]) => Promise<Decision>;

/** A stuck key or balance holds a batch up for no longer than this; then its items are decided one by one. */
const lockTimeoutMs = 1_000;

/** Thrown when a store of the batch can't pay for all of its messages; nothing was written. */
export class ShortBalance extends Error {
  constructor() {
    super("A store can't pay for all its messages of this batch.");
    this.name = "ShortBalance";
  }
}

/**
 * Accepts every candidate whose key is new, in one statement, which is its own transaction. Throws `ShortBalance` when a
 * store can't pay for all of its own.
 */
export async function acceptEvery(
  database: Database,
  candidates: readonly Candidate[],
): Promise<Decision> {
  const repeated = await writeAccepted(database, candidates, { lockTimeoutMs }).catch(
    (error: unknown) => {
      throw isOverdrawn(error) ? new ShortBalance() : error;
    },
  );
  const accepted = candidates.filter(({ messageId }) => !repeated.has(messageId));
  return {
    results: new Map(accepted.map((candidate) => [candidate.messageId, toAccepted(candidate)])),
    accepted,
    repeats: candidates.filter(({ messageId }) => repeated.has(messageId)),
  };
}

/** Accepts candidates of one store in their order as far as its balance reaches; the others are refused, each by itself. */
export function acceptWhatFits(
  database: Database,
  candidates: readonly Candidate[],
): Promise<Decision> {
  return database.transaction((transaction) => decideOneByOne(transaction, candidates), {
    lockTimeoutMs,
  });
}

/** Which stores can't pay for all of their candidates just now. */
export async function findShort(
  database: Queryable,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<string>> {
  const sums = new Map<string, number>();
  for (const { request } of candidates)
    sums.set(request.storeId, (sums.get(request.storeId) ?? 0) + request.priceMicro);
  const { rows } = await database.query<{ store_id: string; balance_micro: number }>({
    name: "balances-read",
    text: "SELECT store_id, balance_micro FROM balances WHERE store_id = ANY($1)",
    values: [[...sums.keys()]],
  });
  const balances = new Map(rows.map((row) => [row.store_id, row.balance_micro]));
  return new Set(
    [...sums].flatMap(([storeId, sum]) => ((balances.get(storeId) ?? 0) < sum ? [storeId] : [])),
  );
}

async function decideOneByOne(
  transaction: Queryable,
  candidates: readonly Candidate[],
): Promise<Decision> {
  const fresh = await takeKeys(transaction, candidates);
  const own = candidates.filter(({ messageId }) => fresh.has(messageId));
  let balance = await lockBalance(transaction, candidates[0]?.request.storeId ?? null);
  const results = new Map<string, AcceptResult>();
  const accepted: Candidate[] = [];
  for (const candidate of own) {
    const fits = candidate.request.priceMicro <= balance;
    if (fits) {
      balance -= candidate.request.priceMicro;
      accepted.push(candidate);
    }
    results.set(
      candidate.messageId,
      fits ? toAccepted(candidate) : { kind: "insufficient_balance" },
    );
  }
  await giveBackKeys(
    transaction,
    own.filter((candidate) => !accepted.includes(candidate)),
  );
  await writeAccepted(transaction, accepted.map(withKeyTaken), { lockTimeoutMs });
  return {
    results,
    accepted,
    repeats: candidates.filter(({ messageId }) => !fresh.has(messageId)),
  };
}

function withKeyTaken(candidate: Candidate): Candidate {
  return { ...candidate, request: { ...candidate.request, idempotency: null } };
}

function toAccepted({ answer }: Candidate): AcceptResult {
  return { kind: "accepted", answer };
}

async function lockBalance(transaction: Queryable, storeId: string | null): Promise<number> {
  const { rows } = await transaction.query<{ balance_micro: number }>({
    name: "balance-lock",
    text: "SELECT balance_micro FROM balances WHERE store_id = $1 FOR UPDATE",
    values: [storeId],
  });
  return rows[0]?.balance_micro ?? -1;
}
