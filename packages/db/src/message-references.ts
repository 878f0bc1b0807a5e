// Messages that others refer to: found by the provider's id of them, or by ours, with what the provider took of them.
import type { OutboundContent } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** A message as its provider names it. Providers may number messages by conversation: the address makes the id whole. */
export interface ProviderReference {
  readonly connectionId: string;
  readonly address: string;
  readonly providerMessageId: string;
}

/** Our id of each message; `null` where we know none. In the order given. */
export async function findReferred(
  database: Queryable,
  references: readonly ProviderReference[],
): Promise<(string | null)[]> {
  if (references.length === 0) return [];
  const { rows } = await database.query<{ id: string | null }>({
    ...referred,
    values: [
      references.map(({ connectionId }) => connectionId),
      references.map(({ address }) => address),
      references.map(({ providerMessageId }) => providerMessageId),
    ],
  });
  return rows.map(({ id }) => id);
}

// What tells of another message carries that one's id, and is not meant by it.
const referred = {
  name: "messages-referred",
  text: `SELECT coalesce(
             (SELECT m.id FROM messages m WHERE m.connection_id = given.connection_id AND m.provider_message_id = given.provider_id AND m.address = given.address
                AND m.type NOT IN ('edit', 'delete', 'reaction', 'button_reply') ORDER BY m.id LIMIT 1),
             (SELECT p.message_id FROM parts p WHERE p.connection_id = given.connection_id AND p.provider_message_id = given.provider_id AND p.address = given.address
                ORDER BY p.message_id LIMIT 1)) AS id
         FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS given (connection_id, address, provider_id, place) ORDER BY place`,
};

/** What is wanted of a message, and the conversation it must belong to. */
export interface MessagePlace {
  readonly storeId: string;
  readonly connectionId: string;
  readonly address: string;
  readonly messageId: string;
}

/** Whether a message belongs to a conversation; of those sent by the API only the instance's own count. */
export async function isInConversation(
  database: Queryable,
  place: MessagePlace & { readonly instanceId: string },
): Promise<boolean> {
  const { rows } = await database.query<{ id: string }>({
    name: "messages-in-conversation",
    text: `SELECT id FROM messages WHERE store_id = $1 AND id = $2 AND connection_id = $3 AND address = $4
             AND (direction = 'in' OR instance_id = $5)`,
    values: [place.storeId, place.messageId, place.connectionId, place.address, place.instanceId],
  });
  return rows.length > 0;
}

/** What a provider took of a message, part by part, and whether more of it may still be sent. */
export interface TakenMessage {
  readonly parts: { readonly payload: unknown; readonly providerMessageId: string }[];
  readonly pending: boolean;
}

/** A message of a conversation with what its provider took of it; `null` when there is none. */
export async function findTaken(
  database: Queryable,
  place: MessagePlace,
): Promise<TakenMessage | null> {
  const { rows } = await database.query<{
    provider_message_id: string | null;
    pending: boolean;
    parts: { payload: unknown; id: string }[] | null;
  }>({
    name: "messages-taken",
    text: `SELECT m.provider_message_id, EXISTS (SELECT 1 FROM send_queue q WHERE q.message_id = m.id) AS pending,
             (SELECT json_agg(json_build_object('payload', p.payload, 'id', p.provider_message_id) ORDER BY p.n) FROM parts p
                WHERE p.store_id = m.store_id AND p.message_id = m.id AND p.provider_message_id IS NOT NULL) AS parts
           FROM messages m WHERE m.store_id = $1 AND m.id = $2 AND m.connection_id = $3 AND m.address = $4`,
    values: [place.storeId, place.messageId, place.connectionId, place.address],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const received =
    row.provider_message_id === null
      ? []
      : [{ payload: null, providerMessageId: row.provider_message_id }];
  const sent = (row.parts ?? []).map(({ payload, id }) => ({ payload, providerMessageId: id }));
  return { parts: [...received, ...sent], pending: row.pending };
}

/** The buttons of messages of ours, by their ids, with whom they were sent to. */
export async function findButtons(
  database: Queryable,
  messages: readonly { readonly storeId: string; readonly messageId: string }[],
): Promise<Map<string, { address: string; buttons: NonNullable<OutboundContent["buttons"]> }>> {
  if (messages.length === 0) return new Map();
  const { rows } = await database.query<{
    id: string;
    address: string;
    buttons: NonNullable<OutboundContent["buttons"]>;
  }>({
    name: "messages-buttons",
    text: `SELECT DISTINCT m.id, m.address, m.content -> 'buttons' AS buttons FROM messages m
           JOIN unnest($1::uuid[], $2::uuid[]) AS given (store_id, id) USING (store_id, id) WHERE m.direction = 'out' AND m.content ? 'buttons'`,
    values: [messages.map(({ storeId }) => storeId), messages.map(({ messageId }) => messageId)],
  });
  return new Map(rows.map(({ id, address, buttons }) => [id, { address, buttons }]));
}
