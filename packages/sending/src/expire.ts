// Expiring: a message that was not sent within its time ends with the reason why.
import { insertEvents } from "@thikaa/db";
import type { Database, Queryable } from "@thikaa/db";
import type { MessageReason } from "@thikaa/schema";
import { finish } from "./finish.ts";
import { statusColumns, statusEvent } from "./message-events.ts";
import type { StatusRow } from "./message-events.ts";
import { expired } from "./transitions.ts";

/** Ends waiting messages whose deadline has passed, at most `limit` at once. Returns how many, and the stores whose events wait for numbers. */
export async function expire(
  database: Database,
  limit: number,
): Promise<{ expired: number; eventsFor: string[] }> {
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{
      store_id: string;
      message_id: string;
      uncertain: boolean;
      reason: MessageReason | null;
    }>({
      text: `SELECT q.store_id, q.message_id, q.uncertain, m.reason FROM send_queue q JOIN messages m ON m.store_id = q.store_id AND m.id = q.message_id
             WHERE q.deadline_at <= now() AND q.worker IS NULL ORDER BY q.deadline_at LIMIT $1 FOR UPDATE OF q SKIP LOCKED`,
      values: [limit],
    });
    // What the provider may have taken is not called failed: it ends uncertain, and is not refunded.
    await finish(
      transaction,
      rows.map((row) => ({
        storeId: row.store_id,
        messageId: row.message_id,
        status: row.uncertain ? "uncertain" : "failed",
        reason: row.uncertain ? row.reason : expired(row.reason),
        final: true,
      })),
    );
    const held = await endHeld(transaction, limit);
    const stores = [...rows, ...held].map((row) => row.store_id);
    return { expired: stores.length, eventsFor: [...new Set(stores)] };
  });
}

/** Messages that a connection holds for a person (`on_uncertain: hold`) stay uncertain, and are final at their deadline. */
async function endHeld(transaction: Queryable, limit: number): Promise<StatusRow[]> {
  const { rows } = await transaction.query<StatusRow>({
    text: `WITH over AS (
             DELETE FROM held_messages h USING (
               SELECT store_id, message_id FROM held_messages WHERE deadline_at <= now() ORDER BY deadline_at LIMIT $1 FOR UPDATE SKIP LOCKED
             ) due WHERE h.store_id = due.store_id AND h.message_id = due.message_id RETURNING h.store_id, h.message_id
           )
           UPDATE messages m SET final = true, updated_at = now() FROM over
           WHERE m.store_id = over.store_id AND m.id = over.message_id AND m.status = 'uncertain' AND NOT m.final RETURNING ${statusColumns}`,
    values: [limit],
  });
  await insertEvents(transaction, rows.map(statusEvent));
  return rows;
}
