// Accepting: the one way in for a message. What is answered as accepted is committed: message, debit, ledger, queue row, event.
import type { Bus } from "@thikaa/bus";
import type { Database } from "@thikaa/db";
import { newId, toWireId } from "@thikaa/schema";
import type { SendAnswer } from "@thikaa/schema";
import type { AcceptRequest, AcceptResult, Candidate } from "./accept-types.ts";
import { Batcher } from "./batcher.ts";
import { acceptEvery, acceptWhatFits, findShort, ShortBalance } from "./accept-transaction.ts";
import type { Decide } from "./accept-transaction.ts";
import { findStoredAnswer, isLockTimeout } from "./idempotency.ts";

/** One batch at a time: a second one would wait for the balances that the first one holds until it is on disk, and be smaller. */
const batchLimit = 256;
/** A store that could not pay is decided apart for so long: it must not fail the others' batch again and again. */
const rememberShortMs = 1_000;

/** A candidate's own failure is kept with it: it is no other's. */
type Decided = AcceptResult | { readonly kind: "failed"; readonly error: unknown };

export interface AcceptingParts {
  readonly database: Database;
  readonly bus: Bus;
  /** Told how many messages each batch holds. */
  readonly batched?: (messages: number) => void;
}

export class Accepting {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #batcher: Batcher<AcceptRequest, Decided>;
  /** Stores that could not pay a moment ago, until when they are decided apart. */
  readonly #short = new Map<string, number>();

  constructor(parts: AcceptingParts) {
    this.#database = parts.database;
    this.#bus = parts.bus;
    const decide = (requests: readonly AcceptRequest[]) => {
      parts.batched?.(requests.length);
      return this.#decide(requests);
    };
    this.#batcher = new Batcher(decide, { limit: batchLimit });
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
    const results = await this.#acceptAll(candidates);
    return candidates.map(
      ({ messageId }) => results.get(messageId) ?? { kind: "idempotency_in_progress" },
    );
  }

  /** Takes it that every store has the money, which nearly all have; those that have not are decided apart, request by request. */
  async #acceptAll(candidates: readonly Candidate[]): Promise<Map<string, Decided>> {
    const now = performance.now();
    for (const [storeId, until] of this.#short) if (until <= now) this.#short.delete(storeId);
    const [short, others] = partition(candidates, ({ request }) =>
      this.#short.has(request.storeId),
    );
    const groups = [...Map.groupBy(short, ({ request }) => request.storeId).values()];
    const rounds = groups.map((group) => this.#commit(group, acceptWhatFits));
    if (others.length > 0) rounds.push(this.#acceptEvery(others));
    return new Map((await Promise.all(rounds)).flatMap((results) => [...results]));
  }

  async #acceptEvery(candidates: readonly Candidate[]): Promise<Map<string, Decided>> {
    try {
      return await this.#commit(candidates, acceptEvery);
    } catch (error) {
      if (!(error instanceof ShortBalance)) throw error;
      const until = performance.now() + rememberShortMs;
      for (const storeId of await findShort(this.#database, candidates))
        this.#short.set(storeId, until);
      return this.#acceptAll(candidates);
    }
  }

  /** One transaction for a batch, then the rings. */
  async #commit(candidates: readonly Candidate[], decide: Decide): Promise<Map<string, Decided>> {
    try {
      const { results, accepted, repeats } = await decide(this.#database, candidates);
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
      this.#commit([candidate], acceptWhatFits).catch(
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
    const results = await this.#commit([candidate], acceptWhatFits);
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
    this.#bus.ringUnnumbered(accepted.map(({ request }) => request.storeId));
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

function toFailed(error: unknown): Decided {
  return { kind: "failed", error };
}

/** Whether PostgreSQL refused a value (classes 22 and 23) rather than being unable to serve. */
function isRefusedValue(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^2[23]/.test(String(error.code));
}

function partition<Item>(
  items: readonly Item[],
  test: (item: Item) => boolean,
): [yes: Item[], no: Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
