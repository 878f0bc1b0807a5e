// Accepting: the one way in for a message. What is answered as accepted is committed: message, debit, ledger, queue row, event.
import type { Bus } from "@thikaa/bus";
import { insertEvents, storeShard } from "@thikaa/db";
import type { Database, Queryable } from "@thikaa/db";
import { newId, toWireId } from "@thikaa/schema";
import type { SendAnswer } from "@thikaa/schema";
import type { AcceptRequest, AcceptResult, Candidate } from "./accept-types.ts";
import { Batcher } from "./batcher.ts";
import { findStoredAnswer, giveBackKeys, isLockTimeout, takeKeys } from "./idempotency.ts";
import { statusEvent } from "./message-events.ts";

const batchLimit = 256;
/** A stuck key or balance holds a batch up for no longer than this; then its items are decided one by one. */
const lockTimeoutMs = 1_000;

/** Whether balances that another process holds are waited for, or left for a later round. */
type Locking = "skip" | "wait";

/** A candidate's own failure is kept with it: it is no other's. */
type Decided = AcceptResult | { readonly kind: "failed"; readonly error: unknown };

export class Accepting {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #batcher: Batcher<AcceptRequest, Decided>;

  constructor(parts: { database: Database; bus: Bus }) {
    this.#database = parts.database;
    this.#bus = parts.bus;
    this.#batcher = new Batcher((requests) => this.#decide(requests), batchLimit);
  }

  /**
   * Decides one message. `accepted` and `replayed` mean that it is durably stored; the caller may answer 200.
   * Throws when PostgreSQL can't commit: then it is unknown whether the message was stored, and the same Idempotency-Key resolves it.
   */
  async accept(request: AcceptRequest): Promise<AcceptResult> {
    const decided = await this.#batcher.add(request);
    if (decided.kind === "failed") throw decided.error;
    return decided;
  }

  async #decide(requests: readonly AcceptRequest[]): Promise<Decided[]> {
    const candidates = requests.map(toCandidate);
    const results = await this.#commit(candidates, "skip");
    const skipped = candidates.filter(({ messageId }) => !results.has(messageId));
    for (const [, ofStore] of Map.groupBy(skipped, ({ request }) => request.storeId)) {
      for (const [messageId, result] of await this.#commit(ofStore, "wait"))
        results.set(messageId, result);
    }
    return candidates.map(
      ({ messageId }) => results.get(messageId) ?? { kind: "idempotency_in_progress" },
    );
  }

  /** One transaction for a batch, then the rings. Candidates that are missing from the result were left for a later round. */
  async #commit(candidates: readonly Candidate[], locking: Locking): Promise<Map<string, Decided>> {
    try {
      const { results, accepted, repeats } = await this.#database.transaction(
        (transaction) => decideInTransaction(transaction, candidates, locking),
        { lockTimeoutMs },
      );
      this.#ring(accepted);
      const resolved = await Promise.all(
        repeats.map(
          async (candidate) =>
            [candidate.messageId, await this.#resolveRepeat(candidate).catch(toFailed)] as const,
        ),
      );
      return new Map<string, Decided>([...results, ...resolved]);
    } catch (error) {
      // What the database can't hold fails alone: other stores' messages are in the same batch.
      if (!isLockTimeout(error) && !(isRefusedValue(error) && candidates.length > 1)) throw error;
      return this.#oneByOne(candidates);
    }
  }

  async #oneByOne(candidates: readonly Candidate[]): Promise<Map<string, Decided>> {
    const [only] = candidates;
    if (candidates.length === 1 && only !== undefined)
      return new Map([[only.messageId, { kind: "idempotency_in_progress" }]]);
    const decide = (candidate: Candidate) =>
      this.#commit([candidate], "wait").catch(
        (error: unknown) => new Map([[candidate.messageId, toFailed(error)]]),
      );
    const results = await Promise.all(candidates.map(decide));
    return new Map(results.flatMap((result) => [...result]));
  }

  /** The key was taken before: its answer, or, when that one was refused meanwhile, this candidate's own turn. */
  async #resolveRepeat(candidate: Candidate): Promise<Decided> {
    const { idempotency, storeId, instanceId } = candidate.request;
    const stored =
      idempotency === null
        ? null
        : await findStoredAnswer(this.#database, { storeId, instanceId, ...idempotency });
    if (stored !== null) return stored;
    const results = await this.#commit([candidate], "wait");
    return results.get(candidate.messageId) ?? { kind: "idempotency_in_progress" };
  }

  #ring(accepted: readonly Candidate[]): void {
    for (const { request, messageId } of accepted) {
      if (request.sendAt !== null) continue;
      const { storeId: store_id, connectionId: connection_id, channel, to, content } = request;
      this.#bus.ring(
        { ring: "out", to: [channel, connection_id] },
        { store_id, connection_id, message_id: messageId, channel, to, content },
      );
    }
    for (const shard of new Set(accepted.map(({ request }) => storeShard(request.storeId))))
      this.#bus.ring({ ring: "unnumbered", to: [shard] }, { shard });
  }
}

function toCandidate(request: AcceptRequest): Candidate {
  const messageId = newId();
  const answer: SendAnswer = {
    ok: true,
    message_id: toWireId("message", messageId),
    channel: request.channel,
    to: request.to,
    status: request.sendAt === null ? "queued" : "scheduled",
    ...(request.clientReference === null ? {} : { client_reference: request.clientReference }),
    ...(request.warnings.length === 0 ? {} : { warnings: [...request.warnings] }),
  };
  return { request, messageId, answer };
}

interface Decision {
  readonly results: Map<string, AcceptResult>;
  readonly accepted: readonly Candidate[];
  readonly repeats: readonly Candidate[];
}

async function decideInTransaction(
  transaction: Queryable,
  candidates: readonly Candidate[],
  locking: Locking,
): Promise<Decision> {
  const fresh = await takeKeys(transaction, candidates);
  const repeats = candidates.filter(({ messageId }) => !fresh.has(messageId));
  const balances = await lockBalances(
    transaction,
    candidates.filter(({ messageId }) => fresh.has(messageId)),
    locking,
  );
  const results = new Map<string, AcceptResult>();
  const [accepted, unaccepted]: [Candidate[], Candidate[]] = [[], []];
  for (const candidate of candidates) {
    if (!fresh.has(candidate.messageId)) continue;
    const { storeId, priceMicro } = candidate.request;
    const balance = balances.get(storeId);
    if (balance !== undefined && balance >= priceMicro) {
      balances.set(storeId, balance - priceMicro);
      accepted.push(candidate);
      results.set(candidate.messageId, { kind: "accepted", answer: candidate.answer });
    } else {
      unaccepted.push(candidate);
      if (balance !== undefined || locking === "wait")
        results.set(candidate.messageId, { kind: "insufficient_balance" });
    }
  }
  await giveBackKeys(transaction, unaccepted);
  await writeAccepted(transaction, accepted);
  return { results, accepted, repeats };
}

/** Locks the balances of the stores in id order, and tells what they hold. With `skip`, a store that is locked elsewhere is left out. */
async function lockBalances(
  transaction: Queryable,
  candidates: readonly Candidate[],
  locking: Locking,
): Promise<Map<string, number>> {
  const stores = [...new Set(candidates.map(({ request }) => request.storeId))];
  if (stores.length === 0) return new Map();
  const { rows } = await transaction.query<{ store_id: string; balance_micro: number }>({
    name: `balances-lock-${locking}`,
    text: `SELECT store_id, balance_micro FROM balances WHERE store_id = ANY($1) ORDER BY store_id FOR UPDATE ${locking === "skip" ? "SKIP LOCKED" : ""}`,
    values: [stores],
  });
  return new Map(rows.map((row) => [row.store_id, row.balance_micro]));
}

async function writeAccepted(
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

function toFailed(error: unknown): Decided {
  return { kind: "failed", error };
}

/** Whether PostgreSQL refused a value (classes 22 and 23) rather than being unable to serve. */
function isRefusedValue(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^2[23]/.test(String(error.code));
}

const writeStatement = {
  name: "messages-accept",
  text: `WITH given AS MATERIALIZED (
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::bigint[], $10::timestamptz[], $11::int[], $12::uuid[], $13::text[])
             WITH ORDINALITY AS given (store_id, id, instance_id, connection_id, channel, address, content, client_reference, price, send_at, ttl, ledger_id, type, place)
         ), debited AS (
           UPDATE balances b SET balance_micro = b.balance_micro - spent.price
           FROM (SELECT store_id, sum(price)::bigint AS price FROM given GROUP BY store_id) spent WHERE b.store_id = spent.store_id
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
