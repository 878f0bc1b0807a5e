// Finishing: a message gets a status that ends its time in the queue, the debit is refunded where nothing was sent, and the event is written.
import { changeKinds, newId } from "@thikaa/schema";
import type { MessageReason, MessageStatus } from "@thikaa/schema";
import { insertEvents, reportedReceipts } from "@thikaa/db";
import type { Queryable } from "@thikaa/db";
import { idRange, longestLifeDays, recentIds } from "./id-range.ts";
import { statusColumns, statusEvent } from "./message-events.ts";
import type { StatusRow } from "./message-events.ts";

export interface FinishedMessage {
  readonly storeId: string;
  readonly messageId: string;
  readonly status: Extract<MessageStatus, "sent" | "failed" | "uncertain" | "cancelled">;
  readonly reason: MessageReason | null;
  /** An uncertain message waits for a person, unless its time is over. */
  readonly final?: boolean;
}

/**
 * Takes messages out of the queue with their status, refunds what is to be refunded, and writes their events.
 * `sent` is final where the channel reports no receipts, and of commands. A message that is final already is left as it is.
 * Returns the ids of the messages that changed. Ring `unnumbered` after the commit.
 */
export async function finish(
  transaction: Queryable,
  messages: readonly FinishedMessage[],
): Promise<ReadonlySet<string>> {
  if (messages.length === 0) return new Set();
  const { rows } = await transaction.query<StatusRow>({
    ...finishStatement,
    values: toColumns(messages),
  });
  const refunded = await refund(
    transaction,
    rows.filter((row) => row.status === "failed" || row.status === "cancelled"),
  );
  await hold(
    transaction,
    rows.filter((row) => row.status === "uncertain" && !row.final),
  );
  await insertEvents(
    transaction,
    rows.map((row) => statusEvent(refunded.has(row.id) ? { ...row, refunded: true } : row)),
  );
  return new Set(rows.map((row) => row.id));
}

/** Uncertain messages that wait for a person are remembered, so that they end with their time. */
async function hold(transaction: Queryable, rows: readonly StatusRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.query({
    text: `INSERT INTO held_messages (store_id, message_id, deadline_at)
           SELECT m.store_id, m.id, m.deadline_at FROM messages m JOIN unnest($1::uuid[], $2::uuid[]) AS given (store_id, id) USING (store_id, id)
           ON CONFLICT DO NOTHING`,
    values: [rows.map((row) => row.store_id), rows.map((row) => row.id)],
  });
}

/**
 * Late evidence that the provider took a message which had ended uncertain: it is sent after all, once every part of it is.
 * Returns the ids of the messages that changed.
 */
export async function confirm(
  transaction: Queryable,
  messages: readonly Pick<FinishedMessage, "storeId" | "messageId">[],
): Promise<ReadonlySet<string>> {
  if (messages.length === 0) return new Set();
  const { rows } = await transaction.query<StatusRow>({
    ...confirmStatement,
    values: [messages.map(({ storeId }) => storeId), messages.map(({ messageId }) => messageId)],
  });
  await insertEvents(transaction, rows.map(statusEvent));
  return new Set(rows.map((row) => row.id));
}

function toColumns(messages: readonly FinishedMessage[]): unknown[] {
  return [
    messages.map((message) => message.storeId),
    messages.map((message) => message.messageId),
    messages.map((message) => message.status),
    messages.map((message) => (message.reason === null ? null : JSON.stringify(message.reason))),
    messages.map(
      (message) => message.final ?? (message.status === "failed" || message.status === "cancelled"),
    ),
    ...idRange(messages.map((message) => message.messageId)),
    ...recentIds(longestLifeDays),
  ];
}

/** Gives the price back for messages of which the provider accepted no part; once a message, whatever happens. */
async function refund(
  transaction: Queryable,
  rows: readonly StatusRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const stores = [...new Set(rows.map((row) => row.store_id))];
  // In id order and before the update, so that two refunds wait for each other in one direction only.
  await transaction.query({
    name: "refund-lock",
    text: "SELECT 1 FROM balances WHERE store_id = ANY($1) ORDER BY store_id FOR UPDATE",
    values: [stores],
  });
  const result = await transaction.query<{ id: string }>({
    ...refundStatement,
    values: [
      rows.map((row) => row.store_id),
      rows.map((row) => row.id),
      rows.map(() => newId()),
      ...recentIds(longestLifeDays),
    ],
  });
  return new Set(result.rows.map((row) => row.id));
}

/** Whether nothing more is reported after `sent`: never of a command, which no provider receipts. */
const hasNoReceipts = `(m.type IN (${changeKinds.map((kind) => `'${kind}'`).join(", ")}) OR ${reportedReceipts} = 'none')`;

const confirmStatement = {
  name: "messages-confirm",
  text: `UPDATE messages m SET status = 'sent', reason = NULL, updated_at = now(), final = ${hasNoReceipts}
         FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS given (store_id, id)) given
         WHERE m.store_id = given.store_id AND m.id = given.id AND m.status = 'uncertain'
           AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.store_id = m.store_id AND p.message_id = m.id AND p.status NOT IN ('sent', 'delivered', 'read'))
         RETURNING ${statusColumns}`,
};

/** An attempt of which nobody knows whether it was taken: what it was made for is never called failed, and never refunded. */
const hasUncertainAttempt = (range: string) =>
  `EXISTS (SELECT 1 FROM attempts a WHERE a.store_id = m.store_id AND a.subject_id = m.id AND a.id BETWEEN ${range} AND a.outcome = 'uncertain')`;

const finishStatement = {
  name: "messages-finish",
  text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::boolean[]) AS given (store_id, id, status, reason, final)),
         gone AS (DELETE FROM send_queue q USING given WHERE q.message_id = given.id)
         UPDATE messages m SET reason = given.reason, updated_at = now(),
           status = CASE WHEN given.status = 'failed' AND ${hasUncertainAttempt("$8 AND $9")} THEN 'uncertain' ELSE given.status END,
           final = given.final OR (given.status = 'sent' AND ${hasNoReceipts})
         FROM given WHERE m.store_id = given.store_id AND m.id = given.id AND m.id BETWEEN $6 AND $7 AND NOT m.final
         RETURNING ${statusColumns}`,
};

const refundStatement = {
  name: "messages-refund",
  text: `WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (store_id, id, ledger_id)),
         refundable AS (
           SELECT m.store_id, m.id, given.ledger_id, m.price_micro FROM messages m JOIN given ON m.store_id = given.store_id AND m.id = given.id
           WHERE NOT m.refunded AND m.price_micro > 0 AND NOT ${hasUncertainAttempt("$4 AND $5")}
             AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.store_id = m.store_id AND p.message_id = m.id AND p.status IN ('sent', 'delivered', 'read'))
         ), noted AS (
           INSERT INTO ledger (store_id, id, kind, message_id, amount_micro) SELECT store_id, ledger_id, 'refund', id, price_micro FROM refundable
           ON CONFLICT DO NOTHING RETURNING store_id, message_id, amount_micro
         ), given_back AS (
           UPDATE balances b SET balance_micro = b.balance_micro + noted.amount
           FROM (SELECT store_id, sum(amount_micro)::bigint AS amount FROM noted GROUP BY store_id) noted WHERE b.store_id = noted.store_id
         )
         UPDATE messages m SET refunded = true FROM noted WHERE m.store_id = noted.store_id AND m.id = noted.message_id RETURNING m.id`,
};
