// Receipts on their way to the messages they tell of: those sent through us, and those of the store's own people.
import { toWireId } from "@thikaa/schema";
import type { MessageStatus, MessageStatusData } from "@thikaa/schema";
import { insertEvents, reportedReceipts } from "@thikaa/db";
import type { NewEvent, Queryable } from "@thikaa/db";
import { applyReceipts } from "@thikaa/sending";
import type { Receipt } from "@thikaa/sending";
import type { ItemOf, ItemRow } from "./items.ts";

type ReceiptItem = ItemOf<"receipt">;

export interface StoredReceipts {
  /** Some of what they name is not known, or not yet. */
  readonly open: readonly ItemRow[];
  /** Stores whose events wait for numbers. */
  readonly stores: readonly string[];
}

/** One for each of the provider's messages that an item names. */
type NamedReceipt = Receipt & { readonly row: ItemRow };

/** Brings receipts to their messages. Each can be told again: what it says is then so already. */
export async function storeReceipts(
  transaction: Queryable,
  items: readonly ReceiptItem[],
): Promise<StoredReceipts> {
  const receipts = items.flatMap(toReceipts);
  const { unknown, eventsFor } = await applyReceipts(transaction, receipts);
  const unmatched = receipts.filter((_, place) => unknown.has(place));
  const { known, events } = await moveDeviceMessages(transaction, unmatched);
  await insertEvents(transaction, events);
  const open = new Set(unmatched.filter((receipt) => !known.has(receipt)).map(({ row }) => row));
  return { open: [...open], stores: [...eventsFor, ...events.map(({ storeId }) => storeId)] };
}

function toReceipts({ row, item }: ReceiptItem): NamedReceipt[] {
  return item.provider_message_ids.map((providerMessageId) => ({
    row,
    connectionId: row.connection_id,
    address: item.to,
    providerMessageId,
    status: item.status,
    reason: item.reason,
    at: pastTime(item.at),
  }));
}

/** A provider's time, where it can be one. */
function pastTime(text: string | null): Date | null {
  const time = text === null ? Number.NaN : Date.parse(text);
  return time > 0 && time <= Date.now() ? new Date(time) : null;
}

interface DeviceRow {
  readonly [column: string]: unknown;
  readonly place: number;
  readonly store_id: string;
  readonly id: string;
  readonly channel: ItemRow["channel"];
  readonly connection_id: string;
  readonly address: string;
  readonly status: MessageStatus;
  readonly final: boolean;
  readonly moved: boolean;
}

/** Messages of the store's own people have no parts: they stand where the provider says, and only move forwards. */
async function moveDeviceMessages(
  transaction: Queryable,
  receipts: readonly NamedReceipt[],
): Promise<{ known: ReadonlySet<NamedReceipt>; events: readonly NewEvent[] }> {
  if (receipts.length === 0) return { known: new Set(), events: [] };
  const { rows } = await transaction.query<DeviceRow>({
    ...moveStatement,
    values: [
      receipts.map(({ connectionId }) => connectionId),
      receipts.map(({ providerMessageId }) => providerMessageId),
      receipts.map(({ address }) => address),
      receipts.map(({ status }) => status),
    ],
  });
  const known = rows.flatMap(({ place }) => receipts[place] ?? []);
  return { known: new Set(known), events: rows.filter(({ moved }) => moved).map(statusEvent) };
}

function statusEvent(row: DeviceRow): NewEvent {
  const data: MessageStatusData = {
    message_id: toWireId("message", row.id),
    client_reference: null,
    channel: row.channel,
    connection_id: toWireId("connection", row.connection_id),
    to: row.address,
    status: row.status,
    final: row.final,
    reason: null,
    refunded: false,
    possible_duplicate: false,
    origin: "device",
  };
  return {
    storeId: row.store_id,
    type: "message.status",
    channel: row.channel,
    connectionId: row.connection_id,
    instanceId: null,
    data,
  };
}

const order = "ARRAY['sent', 'delivered', 'read']";

// Of several receipts of one message the furthest is told.
const moveStatement = {
  name: "receipts-move-device-messages",
  text: `WITH given AS MATERIALIZED (
           SELECT m.store_id, m.id, given.place::int - 1 AS place, array_position(${order}, given.status) AS step
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given (connection_id, provider_id, address, status, place)
           JOIN messages m ON m.connection_id = given.connection_id AND m.provider_message_id = given.provider_id AND m.origin = 'device'
             AND (given.address IS NULL OR m.address = given.address)
         ), furthest AS (
           SELECT store_id, id, max(step) AS step FROM given GROUP BY store_id, id
         ), moved AS (
           UPDATE messages m SET status = (${order})[furthest.step], updated_at = now(), final = ${reportedReceipts} <> 'read' OR (${order})[furthest.step] = 'read'
           FROM furthest WHERE m.store_id = furthest.store_id AND m.id = furthest.id AND furthest.step > array_position(${order}, m.status)
           RETURNING m.*
         )
         SELECT DISTINCT ON (given.place) given.place, given.store_id, given.id, moved.channel, moved.connection_id, moved.address, moved.status, moved.final,
           moved.id IS NOT NULL AND given.place = max(given.place) OVER (PARTITION BY given.store_id, given.id) AS moved
         FROM given LEFT JOIN moved USING (store_id, id) ORDER BY given.place, given.id`,
};
