// The one statement that accepts messages: keys taken, messages, queue, ledger and events written, balances debited.
import { storeShard } from "@thikaa/db";
import type { Queryable } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import type { OutboundContent } from "@thikaa/schema";
import type { Candidate } from "./accept-types.ts";
import { statusEvent } from "./message-events.ts";

/**
 * Takes keys, writes messages and debits balances; returns the ids of those whose key was taken before, for which nothing
 * was written. Throws `isOverdrawn` when a store can't pay for all of its own; then nothing was written at all.
 */
export async function writeAccepted(
  queryable: Queryable,
  candidates: readonly Candidate[],
  options: { readonly lockTimeoutMs: number },
): Promise<ReadonlySet<string>> {
  if (candidates.length === 0) return new Set();
  const requests = candidates.map(({ request }) => request);
  const isKeyed = requests.some(({ idempotency }) => idempotency !== null);
  const { rows } = await queryable.query<{ id: string }>({
    ...(isKeyed ? acceptKeyed : acceptUnkeyed),
    values: [
      requests.map((request) => request.storeId),
      candidates.map(({ messageId }) => messageId),
      requests.map((request) => request.instanceId),
      requests.map((request) => request.connectionId),
      requests.map((request) => request.channel),
      requests.map((request) => request.to),
      requests.map((request) => JSON.stringify(request.content)),
      requests.map((request) => request.clientReference),
      requests.map((request) => request.priceMicro),
      requests.map((request) => request.sendAt),
      requests.map((request) => request.ttlSeconds),
      requests.map(({ content }) => typeOf(content)),
      requests.map((request) => request.idempotency?.key ?? null),
      requests.map((request) => request.idempotency?.fingerprint ?? null),
      candidates.map(({ answer, request }) =>
        request.idempotency === null ? null : JSON.stringify(answer),
      ),
      requests.map((request) => storeShard(request.storeId)),
      candidates.map(() => newId()),
      candidates.map((candidate) => JSON.stringify(acceptedEvent(candidate))),
      `${options.lockTimeoutMs}ms`,
    ],
  });
  return new Set(rows.map((row) => row.id));
}

/** Whether a balance would have gone below nothing. */
export function isOverdrawn(error: unknown): boolean {
  return (
    error instanceof Error &&
    "constraint" in error &&
    error.constraint === "balances_balance_micro_check"
  );
}

/** What a message is called: by its file, else by its text, else by what it carries instead. */
function typeOf({ media, text, location, contact }: OutboundContent): string {
  if (media !== null) return media.kind;
  if (text !== null || (location === undefined && contact === undefined)) return "text";
  return location === undefined ? "contact" : "location";
}

function acceptedEvent({ request, messageId }: Candidate): unknown {
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
  }).data;
}

// One round trip and one commit. What nobody reads is run last to first: messages, their place in the queue, their events,
// and at the very end the debit, so that a store's balance, which many wait for, is locked for the shortest time.
// Balances are debited in id order and keys taken in theirs: two batches wait for each other in one direction only. That rows
// are updated in the order of what they are joined with is the plan's doing and no promise of SQL: a test looks at it.
const acceptKeyed = statement({ name: "messages-accept-keyed", isKeyed: true });
/** Where no message of a batch has a key, none has to be looked for in what was taken. */
const acceptUnkeyed = statement({ name: "messages-accept", isKeyed: false });

function statement({ name, isKeyed }: { name: string; isKeyed: boolean }) {
  const accepted = isKeyed ? "accepted" : "given";
  const keys = `, fresh AS (
           INSERT INTO idempotency_keys (store_id, instance_id, key, fingerprint, message_id, answer)
           SELECT store_id, instance_id, key, fingerprint, id, answer FROM given WHERE key IS NOT NULL ORDER BY store_id, instance_id, key
           ON CONFLICT DO NOTHING RETURNING message_id
         ), accepted AS MATERIALIZED (
           SELECT * FROM given WHERE key IS NULL OR id IN (SELECT message_id FROM fresh)
         )`;
  const repeats = isKeyed
    ? "SELECT id FROM given WHERE key IS NOT NULL AND id NOT IN (SELECT message_id FROM fresh)"
    : "SELECT NULL::uuid AS id WHERE false";
  const text = `WITH given AS MATERIALIZED (
           SELECT given.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::bigint[], $10::timestamptz[], $11::int[], $12::text[],
               $13::text[], $14::bytea[], $15::jsonb[], $16::int[], $17::uuid[], $18::json[])
             WITH ORDINALITY AS given (store_id, id, instance_id, connection_id, channel, address, content, client_reference, price, send_at, ttl, type,
               key, fingerprint, answer, shard, event_id, event, place)
           CROSS JOIN (SELECT set_config('lock_timeout', $19, true)) AS limited
         )${isKeyed ? keys : ""}, paid AS (
           UPDATE balances b SET balance_micro = b.balance_micro - spent.price FROM (
             SELECT store_id, sum(price)::bigint AS price FROM ${accepted} GROUP BY store_id ORDER BY store_id
           ) spent WHERE b.store_id = spent.store_id
         ), told AS (
           INSERT INTO events_unnumbered (shard, store_id, id, type, channel, connection_id, instance_id, data)
           SELECT shard, store_id, event_id, 'message.status', channel, connection_id, instance_id, event FROM ${accepted} ORDER BY place
         ), queued AS (
           INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at, scheduled)
           SELECT store_id, id, connection_id, address, coalesce(send_at, now()), coalesce(send_at, now()) + ttl * interval '1 second', send_at IS NOT NULL
           FROM ${accepted} ORDER BY place
         ), noted AS (
           INSERT INTO ledger (store_id, id, kind, message_id, amount_micro) SELECT store_id, id, 'debit', id, -price FROM ${accepted} WHERE price > 0
         ), written AS (
           INSERT INTO messages (store_id, id, direction, origin, instance_id, connection_id, channel, address, type, content, client_reference, status, price_micro, send_at, deadline_at)
           SELECT store_id, id, 'out', 'api', instance_id, connection_id, channel, address, type, content, client_reference,
             CASE WHEN send_at IS NULL THEN 'queued' ELSE 'scheduled' END, price, send_at, coalesce(send_at, now()) + ttl * interval '1 second'
           FROM ${accepted}
         )
         ${repeats}`;
  return { name, text };
}
