// Media: the rows of files that came with messages, from the first word of them until their bytes are kept.
import type { MediaKind, MediaReason } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

export type MediaStatus = "pending" | "ready" | "failed";

export interface MediaKey {
  readonly storeId: string;
  readonly id: string;
}

export interface NewMedia extends MediaKey {
  readonly connectionId: string;
  /** As the provider says them; `null` when it does not. */
  readonly mime: string | null;
  readonly name: string | null;
}

/** What is known once the bytes are kept. */
export interface KeptMedia extends MediaKey {
  readonly blobKey: string;
  /** Bytes. */
  readonly size: number;
  /** Of the bytes, in lower-case hexadecimal. */
  readonly sha256: string;
  /** `null` leaves what the row says. */
  readonly mime: string | null;
  readonly name: string | null;
}

export interface Media {
  readonly store_id: string;
  readonly id: string;
  readonly connection_id: string;
  readonly status: MediaStatus;
  readonly blob_key: string | null;
  readonly mime: string | null;
  readonly size: number | null;
  readonly name: string | null;
  readonly sha256: string | null;
  readonly created_at: Date;
}

/** Media that can be served. */
export interface ReadyMedia extends Media {
  readonly status: "ready";
  readonly blob_key: string;
  readonly size: number;
  readonly sha256: string;
}

const columns =
  "store_id, id, connection_id, status, blob_key, mime, size, name, sha256, created_at";

/** Writes a row as `pending`. One that is there already stays as it is, so that a repeat is harmless. */
export async function createMedia(database: Queryable, media: NewMedia): Promise<void> {
  await database.query({
    name: "media-create",
    text: "INSERT INTO media (store_id, id, connection_id, mime, name) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (store_id, id) DO NOTHING",
    values: [media.storeId, media.id, media.connectionId, media.mime, media.name],
  });
}

/** Makes a pending one `ready`. `false` when it was settled already, or is unknown: then the bytes just kept belong to nothing, and should be deleted. */
export async function keepMedia(database: Queryable, media: KeptMedia): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "media-keep",
    text: `UPDATE media SET status = 'ready', blob_key = $3, size = $4, sha256 = $5, mime = coalesce($6, mime), name = coalesce($7, name)
           WHERE store_id = $1 AND id = $2 AND status = 'pending'`,
    values: [
      media.storeId,
      media.id,
      media.blobKey,
      media.size,
      media.sha256,
      media.mime,
      media.name,
    ],
  });
  return rowCount === 1;
}

/** Gives a pending one up. `false` when it is ready or given up already: then it stays so. */
export async function failMedia(
  database: Queryable,
  { storeId, id }: MediaKey,
  reason: MediaReason,
): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "media-fail",
    text: "UPDATE media SET status = 'failed', reason = $3 WHERE store_id = $1 AND id = $2 AND status = 'pending'",
    values: [storeId, id, reason],
  });
  return rowCount === 1;
}

/** A file as its message shows it. */
export interface MessageMedia {
  readonly store_id: string;
  readonly id: string;
  readonly message_id: string;
  readonly n: number;
  readonly kind: MediaKind;
  readonly status: MediaStatus;
  readonly mime: string | null;
  /** Bytes; as the provider says it while the file is not here. */
  readonly size: number | null;
  readonly name: string | null;
  readonly sha256: string | null;
  readonly reason: MediaReason | null;
}

const messageColumns =
  "m.store_id, m.id, m.message_id, m.n, m.kind, m.status, m.mime, m.size, m.name, m.sha256, m.reason";

/** Gives the files of inbound items to the messages that they became, and tells how they stand. */
export async function attachMedia(
  transaction: Queryable,
  messages: readonly { itemId: number; messageId: string }[],
): Promise<MessageMedia[]> {
  if (messages.length === 0) return [];
  const { rows } = await transaction.query<MessageMedia & Record<string, unknown>>({
    name: "media-attach",
    text: `UPDATE media m SET message_id = given.message_id FROM unnest($1::bigint[], $2::uuid[]) AS given (item_id, message_id)
           WHERE m.item_id = given.item_id AND m.message_id IS NULL RETURNING ${messageColumns}`,
    values: [messages.map(({ itemId }) => itemId), messages.map(({ messageId }) => messageId)],
  });
  return rows;
}

/** The files of items that became no message are not wanted any more. Bytes that are here already stay. */
export async function dropMedia(transaction: Queryable, itemIds: readonly number[]): Promise<void> {
  if (itemIds.length === 0) return;
  await transaction.query({
    name: "media-drop",
    text: `WITH unwanted AS (DELETE FROM media_fetches WHERE item_id = ANY($1) RETURNING store_id, media_id)
           UPDATE media m SET status = 'failed' FROM unwanted WHERE m.store_id = unwanted.store_id AND m.id = unwanted.media_id AND m.status = 'pending'`,
    values: [itemIds],
  });
}

/** All files of these messages of any stores. */
export async function listMessageMedia(
  transaction: Queryable,
  messages: readonly { storeId: string; id: string }[],
): Promise<MessageMedia[]> {
  if (messages.length === 0) return [];
  const { rows } = await transaction.query<MessageMedia & Record<string, unknown>>({
    name: "media-of-messages",
    text: `SELECT ${messageColumns} FROM unnest($1::uuid[], $2::uuid[]) AS given (store_id, message_id)
           JOIN media m USING (store_id, message_id)`,
    values: [messages.map(({ storeId }) => storeId), messages.map(({ id }) => id)],
  });
  return rows;
}

/** A store's media by its id, or `null`; never another store's. */
export async function findMedia(
  database: Queryable,
  { storeId, id }: MediaKey,
): Promise<Media | null> {
  const { rows } = await database.query<Media & Record<string, unknown>>({
    name: "media-find",
    text: `SELECT ${columns} FROM media WHERE store_id = $1 AND id = $2`,
    values: [storeId, id],
  });
  return rows[0] ?? null;
}

/** Whether it can be served. */
export function isReady(media: Media): media is ReadyMedia {
  return media.status === "ready";
}
