// Expiring: a message that was not sent within its time ends with the reason why.
import type { Database } from "@thikaa/db";
import type { MessageReason } from "@thikaa/schema";
import { finish } from "./finish.ts";
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
    return { expired: rows.length, eventsFor: [...new Set(rows.map((row) => row.store_id))] };
  });
}
