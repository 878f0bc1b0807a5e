// The events of messages sent through us: one for each change of status.
import { toWireId } from "@thikaa/schema";
import type { ChannelCode, MessageReason, MessageStatus, MessageStatusData } from "@thikaa/schema";
import type { NewEvent } from "@thikaa/db";

/** The columns of a message that its status event tells. */
export interface StatusRow {
  readonly store_id: string;
  readonly id: string;
  readonly instance_id: string | null;
  readonly connection_id: string;
  readonly channel: ChannelCode;
  readonly address: string;
  readonly client_reference: string | null;
  readonly status: MessageStatus;
  readonly final: boolean;
  readonly reason: MessageReason | null;
  readonly refunded: boolean;
  readonly possible_duplicate: boolean;
}

/** The columns above, for RETURNING clauses; `m` is the table's alias. */
export const statusColumns =
  "m.store_id, m.id, m.instance_id, m.connection_id, m.channel, m.address, m.client_reference, m.status, m.final, m.reason, m.refunded, m.possible_duplicate";

/** The `message.status` event of a message as it stands. */
export function statusEvent(row: StatusRow): NewEvent {
  const data: MessageStatusData = {
    message_id: toWireId("message", row.id),
    client_reference: row.client_reference,
    channel: row.channel,
    connection_id: toWireId("connection", row.connection_id),
    to: row.address,
    status: row.status,
    final: row.final,
    reason: row.reason,
    refunded: row.refunded,
    possible_duplicate: row.possible_duplicate,
  };
  return {
    storeId: row.store_id,
    type: "message.status",
    channel: row.channel,
    connectionId: row.connection_id,
    instanceId: row.instance_id,
    data,
  };
}
