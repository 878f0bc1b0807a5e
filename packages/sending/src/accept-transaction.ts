// What one accept transaction does: keys taken, messages written, balances debited. The hot row, a store's balance, is locked last and for the shortest time.
import { insertEvents } from "@thikaa/db";
import type { Queryable } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import type { AcceptResult, Candidate } from "./accept-types.ts";
import { giveBackKeys, takeKeys } from "./idempotency.ts";
import { statusEvent } from "./message-events.ts";

export interface Decision {
  readonly results: Map<string, AcceptResult>;
  readonly accepted: readonly Candidate[];
  /** Candidates whose Idempotency-Key was taken before. */
  readonly repeats: readonly Candidate[];
}

export type DecideInTransaction = (
  transaction: Queryable,
  candidates: readonly Candidate[],
) => Promise<Decision>;

/** Thrown, and so rolled back, when stores of a batch can't pay for all of it. */
export class ShortBalance extends Error {
  readonly stores: ReadonlySet<string>;

  constructor(stores: ReadonlySet<string>) {
    super("A store can't pay for all its messages of this batch.");
    this.name = "ShortBalance";
    this.stores = stores;
  }
}

/** Accepts every candidate whose key is new. Throws `ShortBalance` when a store can't pay for all of its own. */
export async function acceptEvery(
  transaction: Queryable,
  candidates: readonly Candidate[],
): Promise<Decision> {
  const fresh = await takeKeys(transaction, candidates);
  const accepted = candidates.filter(({ messageId }) => fresh.has(messageId));
  await writeMessages(transaction, accepted);
  await debit(transaction, accepted);
  return {
    results: new Map(accepted.map((candidate) => [candidate.messageId, toAccepted(candidate)])),
    accepted,
    repeats: candidates.filter(({ messageId }) => !fresh.has(messageId)),
  };
}

/** Accepts candidates of one store in their order as far as its balance reaches; the others are refused, each by itself. */
export async function acceptWhatFits(
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
  await writeMessages(transaction, accepted);
  await debit(transaction, accepted);
  return {
    results,
    accepted,
    repeats: candidates.filter(({ messageId }) => !fresh.has(messageId)),
  };
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

async function writeMessages(
  transaction: Queryable,
  accepted: readonly Candidate[],
): Promise<void> {
  if (accepted.length === 0) return;
  const requests = accepted.map(({ request }) => request);
  await transaction.query({
    ...writeStatement,
    values: [
      requests.map((request) => request.storeId),
      accepted.map(({ messageId }) => messageId),
      requests.map((request) => request.instanceId),
      requests.map((request) => request.connectionId),
      requests.map((request) => request.channel),
      requests.map((request) => request.to),
      requests.map((request) => JSON.stringify(request.content)),
      requests.map((request) => request.clientReference),
      requests.map((request) => request.priceMicro),
      requests.map((request) => request.sendAt),
      requests.map((request) => request.ttlSeconds),
      accepted.map(() => newId()),
      requests.map((request) =>
        request.content.media === null ? "text" : request.content.media.kind,
      ),
    ],
  });
  await insertEvents(
    transaction,
    accepted.map((candidate) => acceptedEvent(candidate)),
  );
}

/** Takes each store's sum from its balance, in id order, so that two batches wait for each other in one direction only. */
async function debit(transaction: Queryable, accepted: readonly Candidate[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const { request } of accepted)
    sums.set(request.storeId, (sums.get(request.storeId) ?? 0) + request.priceMicro);
  if (sums.size === 0) return;
  const { rows } = await transaction.query<{ store_id: string }>({
    ...debitStatement,
    values: [[...sums.keys()], [...sums.values()]],
  });
  if (rows.length === sums.size) return;
  const paid = new Set(rows.map((row) => row.store_id));
  throw new ShortBalance(new Set([...sums.keys()].filter((storeId) => !paid.has(storeId))));
}

function acceptedEvent({ request, messageId }: Candidate) {
  return statusEvent({
    store_id: request.storeId,
    id: messageId,
    instance_id: request.instanceId,
    connection_id: request.connectionId,
    channel: request.channel,
    address: request.to,
    client_reference: request.clientReference,
    status: request.sendAt === null ? "queued" : "scheduled",
    final: false,
    reason: null,
    refunded: false,
    possible_duplicate: false,
  });
}

const writeStatement = {
  name: "messages-accept",
  text: `WITH given AS MATERIALIZED (
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::bigint[], $10::timestamptz[], $11::int[], $12::uuid[], $13::text[])
             WITH ORDINALITY AS given (store_id, id, instance_id, connection_id, channel, address, content, client_reference, price, send_at, ttl, ledger_id, type, place)
         ), noted AS (
           INSERT INTO ledger (store_id, id, kind, message_id, amount_micro) SELECT store_id, ledger_id, 'debit', id, -price FROM given WHERE price > 0
         ), written AS (
           INSERT INTO messages (store_id, id, direction, origin, instance_id, connection_id, channel, address, type, content, client_reference, status, price_micro, send_at, deadline_at)
           SELECT store_id, id, 'out', 'api', instance_id, connection_id, channel, address, type, content, client_reference,
             CASE WHEN send_at IS NULL THEN 'queued' ELSE 'scheduled' END, price, send_at, coalesce(send_at, now()) + ttl * interval '1 second'
           FROM given
         )
         INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at, scheduled)
         SELECT store_id, id, connection_id, address, coalesce(send_at, now()), coalesce(send_at, now()) + ttl * interval '1 second', send_at IS NOT NULL
         FROM given ORDER BY place`,
};

const debitStatement = {
  name: "balances-debit",
  text: `WITH spent AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS spent (store_id, price)),
         locked AS (SELECT b.store_id FROM balances b JOIN spent USING (store_id) ORDER BY b.store_id FOR UPDATE OF b)
         UPDATE balances b SET balance_micro = b.balance_micro - spent.price FROM spent JOIN locked USING (store_id)
         WHERE b.store_id = spent.store_id AND b.balance_micro >= spent.price RETURNING b.store_id`,
};
