// Receipts: what a provider reports of messages that it took, brought to their parts and from there to the message.
import type { MessageReason, PartStatus } from "@thikaa/schema";
import { insertEvents, reportedReceipts } from "@thikaa/db";
import type { Queryable } from "@thikaa/db";
import { finish } from "./finish.ts";
import { statusColumns, statusEvent } from "./message-events.ts";
import type { StatusRow } from "./message-events.ts";
import { afterReceipt } from "./transitions.ts";
import type { ReceiptStatus } from "./transitions.ts";

/** What is reported of one of the provider's messages. */
export interface Receipt {
  readonly connectionId: string;
  /** Whom it was sent to, where the provider numbers messages by conversation. */
  readonly address: string | null;
  readonly providerMessageId: string;
  readonly status: ReceiptStatus;
  readonly reason: MessageReason | null;
  /** When it happened; `null` for now. */
  readonly at: Date | null;
}

export interface AppliedReceipts {
  /** Places of the receipts of which no part is known, or not yet. */
  readonly unknown: ReadonlySet<number>;
  /** Stores whose events wait for numbers: ring `unnumbered` for them after the commit. */
  readonly eventsFor: readonly string[];
}

interface PartRow {
  readonly [column: string]: unknown;
  readonly place: number;
  readonly store_id: string;
  readonly message_id: string;
  readonly n: number;
  readonly status: PartStatus;
}

interface Change {
  readonly part: PartRow;
  readonly status: PartStatus;
  readonly receipt: Receipt;
}

/**
 * Applies receipts in the order given; one that was applied before, or comes after a later one, changes nothing. A message
 * stands where the lowest of its parts stands. One of whose parts the provider reports that it failed has failed, and
 * gets its price back when no other part of it was taken.
 */
export async function applyReceipts(
  transaction: Queryable,
  receipts: readonly Receipt[],
): Promise<AppliedReceipts> {
  if (receipts.length === 0) return { unknown: new Set(), eventsFor: [] };
  const parts = await lockParts(transaction, receipts);
  const changes = changesOf(parts, receipts);
  await writeParts(transaction, changes);
  const failed = changes.filter(({ status }) => status === "failed");
  const ended = await finish(
    transaction,
    failed.map(({ part, receipt }) => ({
      storeId: part.store_id,
      messageId: part.message_id,
      status: "failed",
      reason: receipt.reason ?? unexplained,
    })),
  );
  const moved = await moveMessages(
    transaction,
    changes.filter(({ status }) => status !== "failed"),
  );
  const known = new Set(parts.map(({ place }) => place));
  return {
    unknown: new Set(receipts.keys().filter((place) => !known.has(place))),
    eventsFor: [
      ...moved,
      ...failed.flatMap(({ part }) => (ended.has(part.message_id) ? [part.store_id] : [])),
    ],
  };
}

/** The parts that receipts name, locked in one order. */
async function lockParts(
  transaction: Queryable,
  receipts: readonly Receipt[],
): Promise<readonly PartRow[]> {
  const { rows } = await transaction.query<PartRow>({
    name: "receipts-lock-parts",
    text: `SELECT given.place::int - 1 AS place, p.store_id, p.message_id, p.n, p.status
           FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS given (connection_id, provider_id, address, place)
           JOIN parts p ON p.connection_id = given.connection_id AND p.provider_message_id = given.provider_id AND (given.address IS NULL OR p.address = given.address)
           ORDER BY p.message_id, p.n, given.place FOR UPDATE OF p`,
    values: [
      receipts.map(({ connectionId }) => connectionId),
      receipts.map(({ providerMessageId }) => providerMessageId),
      receipts.map(({ address }) => address),
    ],
  });
  return rows;
}

/** What becomes of each part, with the receipt that decided: several of one batch may tell of one part. */
function changesOf(parts: readonly PartRow[], receipts: readonly Receipt[]): Change[] {
  const changes = new Map<string, Change>();
  for (const part of parts) {
    const key = `${part.message_id} ${part.n}`;
    const receipt = receipts[part.place];
    const status =
      receipt === undefined
        ? null
        : afterReceipt(changes.get(key)?.status ?? part.status, receipt.status);
    if (receipt !== undefined && status !== null) changes.set(key, { part, status, receipt });
  }
  return [...changes.values()];
}

async function writeParts(transaction: Queryable, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await transaction.query({
    name: "receipts-write-parts",
    text: `UPDATE parts p SET status = given.status,
             delivered_at = CASE WHEN given.status IN ('delivered', 'read') THEN coalesce(p.delivered_at, given.at, now()) ELSE p.delivered_at END,
             read_at = CASE WHEN given.status = 'read' THEN coalesce(given.at, now()) ELSE p.read_at END
           FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[]) AS given (store_id, message_id, n, status, at)
           WHERE p.store_id = given.store_id AND p.message_id = given.message_id AND p.n = given.n`,
    values: [
      changes.map(({ part }) => part.store_id),
      changes.map(({ part }) => part.message_id),
      changes.map(({ part }) => part.n),
      changes.map(({ status }) => status),
      changes.map(({ receipt }) => receipt.at),
    ],
  });
}

/** Moves messages to where the lowest of their parts stands. One that is still being sent waits for its own end. */
async function moveMessages(
  transaction: Queryable,
  changes: readonly Change[],
): Promise<readonly string[]> {
  if (changes.length === 0) return [];
  const { rows } = await transaction.query<StatusRow>({
    ...moveStatement,
    values: [changes.map(({ part }) => part.store_id), changes.map(({ part }) => part.message_id)],
  });
  await insertEvents(transaction, rows.map(statusEvent));
  return rows.map((row) => row.store_id);
}

const order = "ARRAY['sent', 'delivered', 'read']";

const moveStatement = {
  name: "receipts-move-messages",
  text: `WITH given AS MATERIALIZED (
           SELECT DISTINCT store_id, id FROM unnest($1::uuid[], $2::uuid[]) AS given (store_id, id)
         ), lowest AS MATERIALIZED (
           SELECT given.store_id, given.id, min(coalesce(array_position(${order}, p.status), 0)) AS step
           FROM given JOIN parts p ON p.store_id = given.store_id AND p.message_id = given.id GROUP BY given.store_id, given.id
         )
         UPDATE messages m SET status = (${order})[lowest.step], updated_at = now(), final = ${reportedReceipts} <> 'read' OR (${order})[lowest.step] = 'read'
         FROM lowest WHERE m.store_id = lowest.store_id AND m.id = lowest.id AND lowest.step > array_position(${order}, m.status)
         RETURNING ${statusColumns}`,
};

const unexplained: MessageReason = {
  code: "provider_reported_failure",
  message: "The provider took the message and reported later that it failed.",
  provider_code: null,
  provider_message: null,
};
