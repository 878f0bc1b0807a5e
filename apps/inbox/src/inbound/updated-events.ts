// The `message.updated` events of messages that went on before their files were here.
import { listMessageMedia } from "@thikaa/db";
import type { NewEvent, Queryable } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import type { ChannelCode, InboundType, MessageUpdatedData } from "@thikaa/schema";
import { mediaFields } from "./message-media.ts";
import type { MediaAddress } from "./message-media.ts";

interface MessageRow {
  readonly [column: string]: unknown;
  readonly store_id: string;
  readonly id: string;
  readonly connection_id: string;
  readonly connection_address: string | null;
  readonly conversation_id: string;
  readonly channel: ChannelCode;
  readonly address: string;
  readonly direction: "in" | "out";
  readonly type: InboundType;
  readonly provider_message_id: string | null;
}

/** One event a message, however many of its files were settled: it shows them all as they stand. */
export async function updatedEvents(
  transaction: Queryable,
  media: readonly { storeId: string; id: string }[],
  addressOf: MediaAddress,
): Promise<NewEvent[]> {
  if (media.length === 0) return [];
  const { rows } = await transaction.query<MessageRow>({
    ...messagesOfMedia,
    values: [media.map(({ storeId }) => storeId), media.map(({ id }) => id)],
  });
  const files = await listMessageMedia(
    transaction,
    rows.map((row) => ({ storeId: row.store_id, id: row.id })),
  );
  const byMessage = Map.groupBy(files, (file) => file.message_id);
  return rows.map((row) => toEvent(row, mediaFields(byMessage.get(row.id) ?? [], addressOf)));
}

function toEvent(row: MessageRow, media: ReturnType<typeof mediaFields>): NewEvent {
  const ours = row.connection_address ?? "";
  const data: MessageUpdatedData = {
    message_id: toWireId("message", row.id),
    channel: row.channel,
    connection_id: toWireId("connection", row.connection_id),
    conversation_id: toWireId("conversation", row.conversation_id),
    ...(row.direction === "in" ? { from: row.address, to: ours } : { from: ours, to: row.address }),
    type: row.type,
    ...media,
    provider_message_id: row.provider_message_id,
  };
  return {
    storeId: row.store_id,
    type: "message.updated",
    channel: row.channel,
    connectionId: row.connection_id,
    instanceId: null,
    data,
  };
}

const messagesOfMedia = {
  name: "messages-of-media",
  text: `SELECT DISTINCT ms.store_id, ms.id, ms.connection_id, c.address AS connection_address, ms.conversation_id, ms.channel, ms.address, ms.direction, ms.type, ms.provider_message_id
         FROM unnest($1::uuid[], $2::uuid[]) AS given (store_id, id) JOIN media m USING (store_id, id)
         JOIN messages ms ON ms.store_id = m.store_id AND ms.id = m.message_id JOIN connections c ON c.id = ms.connection_id`,
};
