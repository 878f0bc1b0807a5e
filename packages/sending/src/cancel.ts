// Cancelling: a message that waits is taken back, and refunded when nothing of it was sent.
import { shownStatus } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import type { Bus } from "@thikaa/bus";
import type { MessageStatus } from "@thikaa/schema";
import { finish } from "./finish.ts";

export interface CancelTarget {
  readonly storeId: string;
  readonly instanceId: string;
  readonly messageId: string;
}

export type CancelResult =
  | { readonly kind: "not_found" }
  /** Where the message stands now; `cancelled`, or the status that came first. */
  | {
      readonly kind: "decided";
      readonly status: MessageStatus;
      readonly final: boolean;
      readonly refunded: boolean;
    };

/** Cancels a message that is not just being sent. One that is under way or finished keeps its status. */
export async function cancel(
  parts: { database: Database; bus: Bus },
  target: CancelTarget,
): Promise<CancelResult> {
  const changed = await parts.database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ message_id: string }>({
      text: `SELECT q.message_id FROM send_queue q JOIN messages m ON m.store_id = q.store_id AND m.id = q.message_id
             WHERE q.message_id = $1 AND q.store_id = $2 AND m.instance_id = $3 AND q.worker IS NULL AND NOT q.uncertain FOR UPDATE OF q`,
      values: [target.messageId, target.storeId, target.instanceId],
    });
    if (rows.length === 0) return false;
    const reason = {
      code: "cancelled",
      message: "Cancelled on request.",
      provider_code: null,
      provider_message: null,
    };
    await finish(transaction, [
      { storeId: target.storeId, messageId: target.messageId, status: "cancelled", reason },
    ]);
    return true;
  });
  if (changed) parts.bus.ringUnnumbered([target.storeId]);
  const { rows } = await parts.database.query<{
    status: MessageStatus;
    final: boolean;
    refunded: boolean;
  }>({
    text: `SELECT ${shownStatus}, m.final, m.refunded FROM messages m WHERE m.store_id = $1 AND m.id = $2 AND m.instance_id = $3 AND m.direction = 'out'`,
    values: [target.storeId, target.messageId, target.instanceId],
  });
  const [row] = rows;
  return row === undefined ? { kind: "not_found" } : { kind: "decided", ...row };
}
