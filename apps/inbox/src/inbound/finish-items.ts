// Finishing inbound items: contact, conversation, message and event in one transaction, in the order in which they came.
import { inboundItem, newId } from "@thikaa/schema";
import type { ChannelCode, InboundMessage } from "@thikaa/schema";
import { attachMedia, insertEvents } from "@thikaa/db";
import type { Database, Queryable } from "@thikaa/db";
import { storeBlocks } from "./contact-blocks.ts";
import type { BlockItem } from "./contact-blocks.ts";
import type { MediaAddress } from "./message-media.ts";
import { receivedEvent } from "./received-event.ts";
import type { StoredInbound } from "./received-event.ts";
import { resolveReferences } from "./references.ts";
import { updatedEvents } from "./updated-events.ts";

/** Shards with the epochs under which this worker holds them. */
export interface HeldShards {
  readonly worker: string;
  readonly shards: readonly { readonly shard: number; readonly epoch: number }[];
}

interface ItemRow {
  readonly id: number;
  readonly store_id: string;
  readonly connection_id: string;
  readonly channel: ChannelCode;
  readonly connection_address: string | null;
  readonly thread: string;
  readonly converted: unknown;
  readonly received_at: Date;
}

interface MessageItem extends ItemRow {
  readonly itemId: number;
  readonly message: InboundMessage;
  readonly messageId: string;
}

export interface FinishedItems {
  readonly finished: number;
  readonly kept: number;
  /** Stores whose events wait for numbers. */
  readonly stores: readonly string[];
  /** Each finished one: its message, and when it came in. */
  readonly messages: readonly Pick<StoredInbound, "messageId" | "channel" | "receivedAt">[];
}

export interface FinishRequest {
  readonly held: HeldShards;
  readonly limit: number;
  readonly addressOf: MediaAddress;
}

/** Finishes due items of the held shards, at most `limit`, in one transaction. What can't be finished is kept whole in `inbound_unrouted`. */
export async function finishItems(
  database: Database,
  { held, limit, addressOf }: FinishRequest,
): Promise<FinishedItems> {
  return database.transaction(async (transaction) => {
    const shards = await lockShards(transaction, held);
    if (shards.length === 0) return { finished: 0, kept: 0, stores: [], messages: [] };
    const { rows } = await transaction.query<ItemRow & { [column: string]: unknown }>({
      ...dueItems,
      values: [shards, limit],
    });
    const messages = rows.flatMap(toMessageItem);
    const blocks = rows.flatMap(toBlockItem);
    const settled = rows.flatMap(toSettledMedia);
    const stored = await storeMessages(transaction, messages);
    const received = stored.map((message) => receivedEvent(message, addressOf));
    const blocked = await storeBlocks(transaction, blocks);
    const updated = await updatedEvents(transaction, settled, addressOf);
    const told = [...received, ...blocked].map((event, index) => ({
      event,
      itemId: [...messages, ...blocks][index]?.itemId ?? 0,
    }));
    await insertEvents(transaction, [
      ...told.toSorted((one, other) => one.itemId - other.itemId).map(({ event }) => event),
      ...updated,
    ]);
    const taken = new Set([...messages, ...blocks, ...settled].map(({ itemId }) => itemId));
    const kept = rows.filter(({ id }) => !taken.has(id)).map(({ id }) => id);
    await keepWhole(transaction, kept);
    await transaction.query({
      name: "inbound-done",
      text: "DELETE FROM inbound_items WHERE id = ANY($1)",
      values: [rows.map(({ id }) => id)],
    });
    return {
      finished: taken.size,
      kept: kept.length,
      stores: [...new Set([...stored, ...blocked, ...updated].map(({ storeId }) => storeId))],
      messages: stored,
    };
  });
}

/** Takes the first due item aside, whole, so that one that can't be finished holds up nothing behind it. */
export async function setFirstAside(database: Database, held: HeldShards): Promise<void> {
  await database.transaction(async (transaction) => {
    const shards = await lockShards(transaction, held);
    const { rows } = await transaction.query<ItemRow & { [column: string]: unknown }>({
      ...dueItems,
      values: [shards, 1],
    });
    const ids = rows.map(({ id }) => id);
    await keepWhole(transaction, ids, "not_finished");
    await transaction.query({
      name: "inbound-done",
      text: "DELETE FROM inbound_items WHERE id = ANY($1)",
      values: [ids],
    });
  });
}

/** The shards that are still ours; the row locks keep a take-over waiting until this transaction is done. */
async function lockShards(transaction: Queryable, held: HeldShards): Promise<number[]> {
  const { rows } = await transaction.query<{ shard: number }>({
    name: "inbound-lock-shards",
    text: `SELECT a.key::int AS shard FROM assignments a JOIN unnest($2::text[], $3::bigint[]) AS given (key, epoch) USING (key, epoch)
           WHERE a.kind = 'inbound-shard' AND a.worker = $1 FOR SHARE OF a`,
    values: [
      held.worker,
      held.shards.map(({ shard }) => String(shard)),
      held.shards.map(({ epoch }) => epoch),
    ],
  });
  return rows.map(({ shard }) => shard);
}

/** An item that is a readable message; notices and what can't be read are kept as they are. */
function toMessageItem(row: ItemRow): MessageItem[] {
  const parsed = inboundItem.safeParse(row.converted);
  return parsed.success && parsed.data.kind === "message"
    ? [{ ...row, itemId: row.id, message: parsed.data, messageId: newId() }]
    : [];
}

/** An item that tells of a person who blocked the connection, or took that back. */
function toBlockItem(row: ItemRow): (BlockItem & { itemId: number })[] {
  const parsed = inboundItem.safeParse(row.converted);
  return parsed.success && parsed.data.kind === "block"
    ? [{ ...row, itemId: row.id, block: parsed.data }]
    : [];
}

/** An item that tells of a file whose message went on before. */
function toSettledMedia(row: ItemRow): { itemId: number; storeId: string; id: string }[] {
  const parsed = inboundItem.safeParse(row.converted);
  return parsed.success && parsed.data.kind === "media"
    ? [{ itemId: row.id, storeId: row.store_id, id: parsed.data.media_id }]
    : [];
}

async function storeMessages(
  transaction: Queryable,
  items: readonly MessageItem[],
): Promise<StoredInbound[]> {
  if (items.length === 0) return [];
  const contacts = await upsertContacts(transaction, items);
  const conversations = await upsertConversations(transaction, items, contacts);
  await insertMessages(transaction, items, conversations);
  const references = await resolveReferences(transaction, items);
  const withFiles = items.filter(({ message }) => message.media.length > 0);
  const media = Map.groupBy(await attachMedia(transaction, withFiles), (file) => file.message_id);
  return items.map((item, index) => ({
    storeId: item.store_id,
    connectionId: item.connection_id,
    channel: item.channel,
    connectionAddress: item.connection_address,
    contactId: found(contacts, contactKey(item)),
    conversationId: found(conversations, conversationKey(item)),
    messageId: item.messageId,
    receivedAt: item.received_at,
    message: item.message,
    references: references[index] ?? { replyTo: null, refersTo: null, button: null },
    media: media.get(item.messageId) ?? [],
  }));
}

/** One row a person; what they are called now replaces what they were called, and nothing replaces a name by nothing. */
async function upsertContacts(
  transaction: Queryable,
  items: readonly MessageItem[],
): Promise<Map<string, string>> {
  const last = [...new Map(items.map((item) => [contactKey(item), item])).values()];
  const { rows } = await transaction.query<{ id: string; connection_id: string; address: string }>({
    name: "contacts-upsert",
    text: `INSERT INTO contacts AS c (store_id, id, channel, connection_id, address, name, phone, username, locale)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) AS given (store_id, id, channel, connection_id, address, name, phone, username, locale)
           ORDER BY store_id, connection_id, address
           ON CONFLICT (store_id, connection_id, address) DO UPDATE SET name = coalesce(excluded.name, c.name), phone = coalesce(excluded.phone, c.phone),
             username = coalesce(excluded.username, c.username), locale = coalesce(excluded.locale, c.locale), updated_at = now()
           RETURNING id, connection_id, address`,
    values: [
      last.map((item) => item.store_id),
      last.map(() => newId()),
      last.map((item) => item.channel),
      last.map((item) => item.connection_id),
      last.map((item) => item.message.from),
      last.map((item) => item.message.contact.name),
      last.map((item) => item.message.contact.phone),
      last.map((item) => item.message.contact.username),
      last.map((item) => item.message.contact.locale),
    ],
  });
  return new Map(rows.map((row) => [`${row.connection_id} ${row.address}`, row.id]));
}

async function upsertConversations(
  transaction: Queryable,
  items: readonly MessageItem[],
  contacts: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const last = [...new Map(items.map((item) => [conversationKey(item), item])).values()];
  const { rows } = await transaction.query<{ id: string; connection_id: string; thread: string }>({
    name: "conversations-upsert",
    text: `INSERT INTO conversations AS c (store_id, id, connection_id, thread, address, contact_id, last_inbound_at)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[]) AS given (store_id, id, connection_id, thread, address, contact_id, received_at)
           ORDER BY store_id, connection_id, thread
           ON CONFLICT (store_id, connection_id, thread) DO UPDATE SET last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at)
           RETURNING id, connection_id, thread`,
    values: [
      last.map((item) => item.store_id),
      last.map(() => newId()),
      last.map((item) => item.connection_id),
      last.map((item) => item.thread),
      last.map((item) => item.message.from),
      last.map((item) => found(contacts, contactKey(item))),
      last.map((item) => item.received_at),
    ],
  });
  return new Map(rows.map((row) => [`${row.connection_id} ${row.thread}`, row.id]));
}

async function insertMessages(
  transaction: Queryable,
  items: readonly MessageItem[],
  conversations: ReadonlyMap<string, string>,
): Promise<void> {
  await transaction.query({
    name: "messages-insert-inbound",
    text: `INSERT INTO messages (store_id, id, direction, origin, connection_id, conversation_id, channel, address, type, content, status, final, provider_message_id)
           SELECT store_id, id, 'in', 'customer', connection_id, conversation_id, channel, address, type, content, 'received', true, provider_message_id
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::text[])
             AS given (store_id, id, connection_id, conversation_id, channel, address, type, content, provider_message_id)`,
    values: [
      items.map((item) => item.store_id),
      items.map((item) => item.messageId),
      items.map((item) => item.connection_id),
      items.map((item) => found(conversations, conversationKey(item))),
      items.map((item) => item.channel),
      items.map((item) => item.message.from),
      items.map((item) => item.message.type),
      items.map((item) => JSON.stringify(item.message)),
      items.map((item) => item.message.provider_message_id),
    ],
  });
}

/** `reason` is ours; without one the item's own notice tells it. */
async function keepWhole(
  transaction: Queryable,
  ids: readonly number[],
  reason: string | null = null,
): Promise<void> {
  if (ids.length === 0) return;
  await transaction.query({
    text: `INSERT INTO inbound_unrouted (id, channel, connection_id, reason, raw, received_at)
           SELECT given.unrouted_id, c.channel, i.connection_id, coalesce($3, i.converted ->> 'reason', 'unreadable'), i.raw, i.received_at
           FROM unnest($1::bigint[], $2::uuid[]) AS given (id, unrouted_id) JOIN inbound_items i USING (id) JOIN connections c ON c.id = i.connection_id`,
    values: [ids, ids.map(() => newId()), reason],
  });
}

function contactKey(item: MessageItem): string {
  return `${item.connection_id} ${item.message.from}`;
}

function conversationKey(item: MessageItem): string {
  return `${item.connection_id} ${item.thread}`;
}

function found(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error("A row that was just written was not returned.");
  return id;
}

// An item waits while an earlier one of its conversation is not due yet (its media is still being fetched).
const dueItems = {
  name: "inbound-due",
  text: `SELECT i.id, i.store_id, i.connection_id, c.channel, c.address AS connection_address, i.thread, i.converted, i.received_at
         FROM inbound_items i JOIN connections c ON c.id = i.connection_id
         WHERE i.shard = ANY($1) AND i.due_at <= now()
           AND NOT EXISTS (SELECT 1 FROM inbound_items earlier WHERE earlier.shard = i.shard AND earlier.id < i.id
             AND earlier.connection_id = i.connection_id AND earlier.thread = i.thread AND earlier.due_at > now())
         ORDER BY i.id LIMIT $2 FOR UPDATE OF i`,
};
