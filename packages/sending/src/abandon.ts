// Abandoning: what still waits on a connection that was removed ends with the reason why.
import type { Database } from "@thikaa/db";
import { finish } from "./finish.ts";

const batch = 500;

/**
 * Ends every waiting message of a removed connection: failed, refunded where nothing of it was sent. One that is just
 * being sent keeps its outcome. Returns how many ended. Ring `unnumbered` for the store afterwards.
 */
export async function abandonConnection(
  database: Database,
  connection: { storeId: string; connectionId: string },
): Promise<number> {
  let abandoned = 0;
  for (let ended = batch; ended === batch; abandoned += ended)
    ended = await abandonBatch(database, connection);
  return abandoned;
}

function abandonBatch(
  database: Database,
  { storeId, connectionId }: { storeId: string; connectionId: string },
): Promise<number> {
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ message_id: string; uncertain: boolean }>({
      text: `SELECT q.message_id, q.uncertain FROM send_queue q JOIN connections c ON c.store_id = q.store_id AND c.id = q.connection_id
             WHERE q.connection_id = $1 AND q.store_id = $2 AND q.worker IS NULL AND c.desired = 'removed' ORDER BY q.seq LIMIT $3 FOR UPDATE OF q SKIP LOCKED`,
      values: [connectionId, storeId, batch],
    });
    const reason = {
      code: "connection_removed",
      message: "The connection was removed before this was sent.",
      provider_code: null,
      provider_message: null,
    };
    await finish(
      transaction,
      rows.map((row) => ({
        storeId,
        messageId: row.message_id,
        status: row.uncertain ? "uncertain" : "failed",
        reason,
        final: true,
      })),
    );
    return rows.length;
  });
}
