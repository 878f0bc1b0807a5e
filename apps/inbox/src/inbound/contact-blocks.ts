// People who block a connection, or take that back: noted with the contact, and told as an event.
import { newId, toWireId } from "@thikaa/schema";
import type { ChannelCode, ContactUpdatedData, InboundBlock, InboundContact } from "@thikaa/schema";
import type { NewEvent, Queryable } from "@thikaa/db";

/** A block that came in, with its place. */
export interface BlockItem {
  readonly store_id: string;
  readonly connection_id: string;
  readonly channel: ChannelCode;
  readonly connection_address: string | null;
  readonly block: InboundBlock;
}

interface ContactRow extends InboundContact {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly connection_id: string;
  readonly address: string;
}

/** Writes the last word of each person; gives an event an item, in the order given. */
export async function storeBlocks(
  transaction: Queryable,
  items: readonly BlockItem[],
): Promise<NewEvent[]> {
  if (items.length === 0) return [];
  const last = [...new Map(items.map((item) => [keyOf(item), item])).values()];
  const { rows } = await transaction.query<ContactRow>({
    ...upsert,
    values: [
      last.map((item) => item.store_id),
      last.map(() => newId()),
      last.map((item) => item.channel),
      last.map((item) => item.connection_id),
      last.map(({ block }) => block.from),
      last.map(({ block }) => block.contact.name),
      last.map(({ block }) => block.contact.username),
      last.map(({ block }) => block.contact.locale),
      last.map(({ block }) => block.blocked),
    ],
  });
  const contacts = new Map(rows.map((row) => [`${row.connection_id} ${row.address}`, row]));
  return items.map((item) => {
    const contact = contacts.get(keyOf(item));
    if (contact === undefined) throw new Error("A row that was just written was not returned.");
    return toEvent(item, contact);
  });
}

function keyOf({ connection_id: connectionId, block }: BlockItem): string {
  return `${connectionId} ${block.from}`;
}

function toEvent(item: BlockItem, { id, name, phone, username, locale }: ContactRow): NewEvent {
  const data: ContactUpdatedData = {
    channel: item.channel,
    connection_id: toWireId("connection", item.connection_id),
    from: item.block.from,
    to: item.connection_address ?? "",
    contact: { id: toWireId("contact", id), name, phone, username, locale },
    blocked: item.block.blocked,
  };
  return {
    storeId: item.store_id,
    type: "contact.updated",
    channel: item.channel,
    connectionId: item.connection_id,
    instanceId: null,
    data,
  };
}

const upsert = {
  name: "contacts-block",
  text: `INSERT INTO contacts AS c (store_id, id, channel, connection_id, address, name, username, locale, blocked)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[]) AS given (store_id, id, channel, connection_id, address, name, username, locale, blocked)
         ORDER BY store_id, connection_id, address
         ON CONFLICT (store_id, connection_id, address) DO UPDATE SET blocked = excluded.blocked, name = coalesce(excluded.name, c.name),
           username = coalesce(excluded.username, c.username), locale = coalesce(excluded.locale, c.locale), updated_at = now()
         RETURNING id, connection_id, address, name, phone, username, locale`,
};
