// Media to be fetched: claimed by the connection's owner under its epoch, tried again by backoff, settled together with the item that waits.
import { newId } from "@thikaa/schema";
import type { InboundItem, MediaReason } from "@thikaa/schema";
import { connectionAssignment } from "./connections.ts";
import type { Database, Queryable } from "./database.ts";
import { inboundShard } from "./inbound.ts";
import { failMedia, keepMedia } from "./media.ts";
import type { KeptMedia, MediaKey } from "./media.ts";
import { holdBlob, settleBlobs } from "./unsettled-blobs.ts";

/** A connection that its owner holds open, and how many more of its files may be fetched at once. */
export interface FetchingConnection {
  readonly id: string;
  readonly epoch: number;
  readonly free: number;
}

export interface FetchClaim {
  readonly worker: string;
  readonly connections: readonly FetchingConnection[];
  /** At most so many in all. */
  readonly limit: number;
  /** Seconds after which a claim that was never settled may be made anew by the same owner; another one may at once. */
  readonly leaseSeconds: number;
}

export interface MediaFetch {
  readonly media_id: string;
  readonly store_id: string;
  readonly connection_id: string;
  readonly epoch: number;
  readonly reference: string;
  readonly failures: number;
  /** What the bytes are to be stored under; noted as unsettled. */
  readonly blob_key: string;
}

/** What came of a file in the end. */
export type MediaResult =
  | ({ readonly status: "ready" } & Omit<KeptMedia, keyof MediaKey>)
  | { readonly status: "failed"; readonly reason: MediaReason };

export interface MediaSettled {
  /** `false` when it was settled before, or the bytes were swept meanwhile: then the bytes just kept belong to nothing, and should be deleted. */
  readonly settled: boolean;
  /** The inbox's shard to ring after the commit; `null` when nothing waited. */
  readonly shard: number | null;
}

/** Claims files that are due, or were being fetched by an earlier owner of their connection. Connections held no more are left out. */
export async function claimMediaFetches(
  database: Queryable,
  claim: FetchClaim,
): Promise<MediaFetch[]> {
  const { rows } = await database.query<MediaFetch & Record<string, unknown>>({
    name: "media-fetches-claim",
    text: `WITH held AS MATERIALIZED (
             SELECT given.* FROM unnest($2::uuid[], $3::bigint[], $4::int[]) AS given (connection_id, epoch, free)
             JOIN assignments a ON a.kind = '${connectionAssignment}' AND a.key = given.connection_id::text AND a.worker = $1 AND a.epoch = given.epoch
             FOR SHARE OF a
           ), due AS (
             SELECT f.media_id, held.epoch FROM held CROSS JOIN LATERAL (
               SELECT media_id FROM media_fetches
               WHERE connection_id = held.connection_id AND (due_at <= now() OR epoch < held.epoch)
               ORDER BY due_at LIMIT held.free FOR UPDATE SKIP LOCKED
             ) f LIMIT $5
           ), claimed AS (
             UPDATE media_fetches f SET epoch = due.epoch, due_at = now() + $6 * interval '1 second' FROM due WHERE f.media_id = due.media_id
             RETURNING f.media_id, f.store_id, f.connection_id, f.epoch, f.reference, f.failures, uuidv7()::text AS blob_key
           ), noted AS (
             INSERT INTO unsettled_blobs (store_id, blob_key) SELECT store_id, blob_key FROM claimed
           )
           SELECT * FROM claimed`,
    values: [
      claim.worker,
      claim.connections.map(({ id }) => id),
      claim.connections.map(({ epoch }) => epoch),
      claim.connections.map(({ free }) => free),
      claim.limit,
      claim.leaseSeconds,
    ],
  });
  return rows;
}

/**
 * Gives a claim back, to be made again after so long. Nothing happens when another owner has taken it over. `empty` says that
 * certainly no bytes were left in the media store.
 */
export async function retryMediaFetch(
  database: Queryable,
  fetch: MediaFetch,
  again: { afterMs: number; counts: boolean; empty: boolean },
): Promise<void> {
  await database.query({
    name: "media-fetches-retry",
    text: `WITH settled AS (DELETE FROM unsettled_blobs WHERE $5 AND store_id = $6 AND blob_key = $7)
           UPDATE media_fetches SET epoch = NULL, due_at = now() + $3 * interval '1 millisecond', failures = failures + $4
           WHERE media_id = $1 AND epoch = $2`,
    values: [
      fetch.media_id,
      fetch.epoch,
      again.afterMs,
      again.counts ? 1 : 0,
      again.empty,
      fetch.store_id,
      fetch.blob_key,
    ],
  });
}

/**
 * Writes what came of a file. The item that waits for it becomes due with its last file; when its message has gone on
 * already, the inbox gets an item that tells of the file. Evidence, so never fenced: whoever brings it.
 */
export async function settleMedia(
  database: Database,
  media: MediaKey,
  result: MediaResult,
): Promise<MediaSettled> {
  return database.transaction(async (transaction) => {
    // The item is locked before anything else, by the inbox as well: either it sees this file's end, or it has gone on.
    const { rows } = await transaction.query<{ id: number }>({
      name: "media-lock-item",
      text: "SELECT i.id FROM inbound_items i JOIN media m ON m.item_id = i.id WHERE m.store_id = $1 AND m.id = $2 FOR UPDATE OF i",
      values: [media.storeId, media.id],
    });
    if (result.status === "ready" && !(await holdBlob(transaction, { ...media, ...result })))
      return { settled: false, shard: null };
    const settled =
      result.status === "ready"
        ? await keepMedia(transaction, { ...media, ...result })
        : await failMedia(transaction, media, result.reason);
    if (settled && result.status === "ready")
      await settleBlobs(transaction, [{ ...media, ...result }]);
    const ended = await endFetch(transaction, media);
    if (ended === null) return { settled, shard: null };
    if (rows.length > 0) await makeDue(transaction, ended.item_id);
    else if (settled) await tellOfMedia(transaction, media, ended);
    return { settled, shard: inboundShard(ended.connection_id, ended.thread) };
  });
}

/** Files that nobody could fetch for so long, to be given up. */
export async function overdueMediaFetches(
  database: Queryable,
  hours: number,
  limit: number,
): Promise<MediaKey[]> {
  const { rows } = await database.query<{ store_id: string; media_id: string }>({
    name: "media-fetches-overdue",
    text: "SELECT store_id, media_id FROM media_fetches WHERE created_at < now() - $1 * interval '1 hour' ORDER BY created_at LIMIT $2",
    values: [hours, limit],
  });
  return rows.map((row) => ({ storeId: row.store_id, id: row.media_id }));
}

interface EndedFetch {
  readonly [column: string]: unknown;
  readonly item_id: number;
  readonly connection_id: string;
  readonly thread: string;
}

async function endFetch(transaction: Queryable, media: MediaKey): Promise<EndedFetch | null> {
  const { rows } = await transaction.query<EndedFetch>({
    name: "media-fetches-end",
    text: "DELETE FROM media_fetches WHERE media_id = $1 RETURNING item_id, connection_id, thread",
    values: [media.id],
  });
  return rows[0] ?? null;
}

async function makeDue(transaction: Queryable, itemId: number): Promise<void> {
  await transaction.query({
    name: "inbound-media-due",
    text: `UPDATE inbound_items SET due_at = least(due_at, now())
           WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM media_fetches WHERE item_id = $1)`,
    values: [itemId],
  });
}

/** A message that was set aside instead of written has nobody to be told. */
async function tellOfMedia(
  transaction: Queryable,
  media: MediaKey,
  { connection_id: connectionId, thread }: EndedFetch,
): Promise<void> {
  const item: InboundItem = { kind: "media", media_id: media.id };
  await transaction.query({
    name: "inbound-tell-media",
    text: `INSERT INTO inbound_items (store_id, connection_id, key, thread, shard, raw, converted)
           SELECT $1, $3, $4, $5, $6, ''::bytea, $7 FROM media WHERE store_id = $1 AND id = $2 AND message_id IS NOT NULL`,
    values: [
      media.storeId,
      media.id,
      connectionId,
      `media:${newId()}`,
      thread,
      inboundShard(connectionId, thread),
      JSON.stringify(item),
    ],
  });
}
