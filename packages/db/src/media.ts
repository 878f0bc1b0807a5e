// Media: the rows of files that came with messages, from the first word of them until their bytes are kept.
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

/** Makes it `ready`. `false` when it was so already, or is unknown: then the bytes just kept belong to nothing, and should be deleted. */
export async function keepMedia(database: Queryable, media: KeptMedia): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "media-keep",
    text: `UPDATE media SET status = 'ready', blob_key = $3, size = $4, sha256 = $5, mime = coalesce($6, mime), name = coalesce($7, name)
           WHERE store_id = $1 AND id = $2 AND status <> 'ready'`,
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

/** Gives a pending one up; one that is ready stays so. */
export async function failMedia(database: Queryable, { storeId, id }: MediaKey): Promise<void> {
  await database.query({
    name: "media-fail",
    text: "UPDATE media SET status = 'failed' WHERE store_id = $1 AND id = $2 AND status = 'pending'",
    values: [storeId, id],
  });
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
