// Writes messages with their contacts and conversations: what customers wrote, and what the store's own people wrote to them.
import { newId } from "@thikaa/schema";
import type { InboundContact } from "@thikaa/schema";
import { attachMedia, reportedReceipts } from "@thikaa/db";
import type { MessageMedia, Queryable } from "@thikaa/db";
import { addressOf } from "./new-message.ts";
import type { NewMessage } from "./new-message.ts";
import { resolveReferences } from "./references.ts";
import type { References } from "./references.ts";

/** A message with the rows it became. */
export interface StoredMessage extends NewMessage {
  readonly contactId: string;
  readonly conversationId: string;
  /** Whether its status can't change any more. */
  readonly final: boolean;
  readonly references: References;
  readonly media: readonly MessageMedia[];
}

/** In the order given. */
export async function storeMessages(
  transaction: Queryable,
  items: readonly NewMessage[],
): Promise<StoredMessage[]> {
  if (items.length === 0) return [];
  const contacts = await upsertContacts(transaction, items);
  const conversations = await upsertConversations(transaction, items, contacts);
  const final = await insertMessages(transaction, items, conversations);
  const references = await resolveReferences(transaction, items);
  const withFiles = items.filter(({ said }) => said.media.length > 0);
  const media = Map.groupBy(
    await attachMedia(
      transaction,
      withFiles.map(({ row, messageId }) => ({ itemId: row.id, messageId })),
    ),
    (file) => file.message_id,
  );
  return items.map((item, index) => ({
    ...item,
    contactId: found(contacts, contactKey(item)),
    conversationId: found(conversations, conversationKey(item)),
    final: final.has(item.messageId),
    references: references[index] ?? { replyTo: null, refersTo: null, button: null },
    media: media.get(item.messageId) ?? [],
  }));
}

/** The person that a message's contact is: in a group whoever wrote. */
function personOf({ said }: NewMessage): { address: string; contact: InboundContact } {
  const author = said.kind === "message" ? said.author : undefined;
  return { address: author ?? addressOf(said), contact: said.contact };
}

/** One row a person; what they are called now replaces what they were called, and nothing replaces a name by nothing. */
async function upsertContacts(
  transaction: Queryable,
  items: readonly NewMessage[],
): Promise<Map<string, string>> {
  const last = [...new Map(items.map((item) => [contactKey(item), item])).values()];
  const people = last.map(personOf);
  const { rows } = await transaction.query<{ id: string; connection_id: string; address: string }>({
    name: "contacts-upsert",
    text: `INSERT INTO contacts AS c (store_id, id, channel, connection_id, address, name, phone, username, locale)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) AS given (store_id, id, channel, connection_id, address, name, phone, username, locale)
           ORDER BY store_id, connection_id, address
           ON CONFLICT (store_id, connection_id, address) DO UPDATE SET name = coalesce(excluded.name, c.name), phone = coalesce(excluded.phone, c.phone),
             username = coalesce(excluded.username, c.username), locale = coalesce(excluded.locale, c.locale), updated_at = now()
           RETURNING id, connection_id, address`,
    values: [
      last.map(({ row }) => row.store_id),
      last.map(() => newId()),
      last.map(({ row }) => row.channel),
      last.map(({ row }) => row.connection_id),
      people.map(({ address }) => address),
      people.map(({ contact }) => contact.name),
      people.map(({ contact }) => contact.phone),
      people.map(({ contact }) => contact.username),
      people.map(({ contact }) => contact.locale),
    ],
  });
  return new Map(rows.map((row) => [`${row.connection_id} ${row.address}`, row.id]));
}

async function upsertConversations(
  transaction: Queryable,
  items: readonly NewMessage[],
  contacts: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const last = [...new Map(items.map((item) => [conversationKey(item), item])).values()];
  // Only what comes from the other side says that it is open.
  const heard = new Map(
    items.flatMap((item) =>
      item.said.kind === "message" ? [[conversationKey(item), item.row.received_at] as const] : [],
    ),
  );
  const { rows } = await transaction.query<{ id: string; connection_id: string; thread: string }>({
    name: "conversations-upsert",
    text: `INSERT INTO conversations AS c (store_id, id, connection_id, thread, address, contact_id, last_inbound_at)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[]) AS given (store_id, id, connection_id, thread, address, contact_id, received_at)
           ORDER BY store_id, connection_id, thread
           ON CONFLICT (store_id, connection_id, thread) DO UPDATE SET last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at)
           RETURNING id, connection_id, thread`,
    values: [
      last.map(({ row }) => row.store_id),
      last.map(() => newId()),
      last.map(({ row }) => row.connection_id),
      last.map(({ row }) => row.thread),
      last.map(({ said }) => addressOf(said)),
      last.map((item) => found(contacts, contactKey(item))),
      last.map((item) => heard.get(conversationKey(item)) ?? null),
    ],
  });
  return new Map(rows.map((row) => [`${row.connection_id} ${row.thread}`, row.id]));
}

/** Gives the ids of those whose status can't change any more. */
async function insertMessages(
  transaction: Queryable,
  items: readonly NewMessage[],
  conversations: ReadonlyMap<string, string>,
): Promise<ReadonlySet<string>> {
  const { rows } = await transaction.query<{ id: string; final: boolean }>({
    name: "messages-insert-from-outside",
    text: `INSERT INTO messages (store_id, id, direction, origin, connection_id, conversation_id, channel, address, type, content, status, final, provider_message_id)
           SELECT m.store_id, m.id, CASE WHEN m.own THEN 'out' ELSE 'in' END, CASE WHEN m.own THEN 'device' ELSE 'customer' END, m.connection_id, m.conversation_id, m.channel,
             m.address, m.type, m.content, CASE WHEN m.own THEN 'sent' ELSE 'received' END, NOT m.own OR ${reportedReceipts} = 'none', m.provider_message_id
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::text[], $10::boolean[])
             AS m (store_id, id, connection_id, conversation_id, channel, address, type, content, provider_message_id, own)
           RETURNING id, final`,
    values: [
      items.map(({ row }) => row.store_id),
      items.map(({ messageId }) => messageId),
      items.map(({ row }) => row.connection_id),
      items.map((item) => found(conversations, conversationKey(item))),
      items.map(({ row }) => row.channel),
      items.map(({ said }) => addressOf(said)),
      items.map(({ said }) => said.type),
      items.map(({ said }) => JSON.stringify(said)),
      items.map(({ said }) => said.provider_message_id),
      items.map(({ said }) => said.kind === "own"),
    ],
  });
  return new Set(rows.flatMap(({ id, final }) => (final ? [id] : [])));
}

function contactKey(item: NewMessage): string {
  return `${item.row.connection_id} ${personOf(item).address}`;
}

function conversationKey({ row }: NewMessage): string {
  return `${row.connection_id} ${row.thread}`;
}

function found(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error("A row that was just written was not returned.");
  return id;
}
