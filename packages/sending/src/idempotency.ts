// Idempotency keys: one message per key and instance for 72 hours; a repeat gets the first answer.
import { createHash } from "node:crypto";
import { canonicalJson } from "@thikaa/schema";
import type { SendAnswer } from "@thikaa/schema";
import type { Database, Queryable } from "@thikaa/db";
import type { AcceptResult, Candidate } from "./accept-types.ts";

export const idempotencyHours = 72;
/** How long a request waits for another one that has taken its key and is not decided yet, in milliseconds. */
const inFlightMs = 1_000;

/** A key of an instance with the digest of the body it came with. */
export interface KeyUse {
  readonly storeId: string;
  readonly instanceId: string;
  readonly key: string;
  readonly fingerprint: Buffer;
}

/** A digest of a parsed body: equal for bodies that are equal after parsing. */
export function fingerprint(body: unknown): Buffer {
  return createHash("sha256").update(canonicalJson(body)).digest();
}

/** What a known key answers: the stored answer, or a mismatch when the body was another; `null` when the key is not known. */
export async function findStoredAnswer(
  database: Queryable,
  key: KeyUse,
): Promise<AcceptResult | null> {
  const { rows } = await database.query<{ fingerprint: Buffer; answer: SendAnswer }>({
    name: "idempotency-find",
    text: "SELECT fingerprint, answer FROM idempotency_keys WHERE store_id = $1 AND instance_id = $2 AND key = $3",
    values: [key.storeId, key.instanceId, key.key],
  });
  const [stored] = rows;
  if (stored === undefined) return null;
  return stored.fingerprint.equals(key.fingerprint)
    ? { kind: "replayed", answer: stored.answer }
    : { kind: "idempotency_mismatch" };
}

/**
 * What a key answers to a request that will be refused for another reason: as `findStoredAnswer`, and
 * `idempotency_in_progress` while the request that took it is not decided.
 */
export async function resolveKey(database: Database, key: KeyUse): Promise<AcceptResult | null> {
  const stored = await findStoredAnswer(database, key);
  if (stored !== null) return stored;
  try {
    // A key in flight can't be read, only waited for: by taking it, and giving it back at once.
    const isFree = await database.transaction((transaction) => tryKey(transaction, key), {
      lockTimeoutMs: inFlightMs,
    });
    return isFree ? null : await findStoredAnswer(database, key);
  } catch (error) {
    if (isLockTimeout(error)) return { kind: "idempotency_in_progress" };
    throw error;
  }
}

async function tryKey(
  transaction: Queryable,
  { storeId, instanceId, key, fingerprint: digest }: KeyUse,
): Promise<boolean> {
  const { rowCount } = await transaction.query({
    text: "INSERT INTO idempotency_keys (store_id, instance_id, key, fingerprint, message_id, answer) VALUES ($1, $2, $3, $4, gen_random_uuid(), '{}') ON CONFLICT DO NOTHING",
    values: [storeId, instanceId, key, digest],
  });
  if (rowCount === 0) return false;
  await transaction.query({
    text: "DELETE FROM idempotency_keys WHERE store_id = $1 AND instance_id = $2 AND key = $3",
    values: [storeId, instanceId, key],
  });
  return true;
}

/** A lock that was not got in time, and the one of two that waited for each other: `lock_not_available`, `deadlock_detected`. */
const waitedInVain: ReadonlySet<unknown> = new Set(["55P03", "40P01"]);

/** Whether an error says that a lock was not got in time. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && waitedInVain.has(error.code);
}

/** Takes the keys of a batch; returns the message ids of the candidates that may go on (those without a key, and those whose key was new). */
export async function takeKeys(
  transaction: Queryable,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<string>> {
  const free = new Set(
    candidates
      .filter(({ request }) => request.idempotency === null)
      .map(({ messageId }) => messageId),
  );
  const keyed = candidates.flatMap((candidate) =>
    candidate.request.idempotency === null
      ? []
      : [{ ...candidate, ...candidate.request.idempotency }],
  );
  if (keyed.length === 0) return free;
  // In key order, so that two gateways with the same keys in flight wait for each other in one direction only.
  const { rows } = await transaction.query<{ message_id: string }>({
    name: "idempotency-take",
    text: `INSERT INTO idempotency_keys (store_id, instance_id, key, fingerprint, message_id, answer)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::uuid[], $6::jsonb[]) AS given (store_id, instance_id, key, fingerprint, message_id, answer)
           ORDER BY store_id, instance_id, key ON CONFLICT DO NOTHING RETURNING message_id`,
    values: [
      keyed.map(({ request }) => request.storeId),
      keyed.map(({ request }) => request.instanceId),
      keyed.map(({ key }) => key),
      keyed.map(({ fingerprint: digest }) => digest),
      keyed.map(({ messageId }) => messageId),
      keyed.map(({ answer }) => JSON.stringify(answer)),
    ],
  });
  return new Set([...free, ...rows.map((row) => row.message_id)]);
}

/** Gives back the keys of messages that were refused in the same transaction: a refusal is never stored. */
export async function giveBackKeys(
  transaction: Queryable,
  refused: readonly Candidate[],
): Promise<void> {
  const keyed = refused.filter(({ request }) => request.idempotency !== null);
  if (keyed.length === 0) return;
  await transaction.query({
    text: "DELETE FROM idempotency_keys WHERE store_id = ANY($1) AND message_id = ANY($2)",
    values: [keyed.map(({ request }) => request.storeId), keyed.map(({ messageId }) => messageId)],
  });
}
