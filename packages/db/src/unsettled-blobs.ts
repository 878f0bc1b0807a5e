// Bytes in the media store that no row names yet: settled with their row, or condemned and deleted after a crash.
import type { Queryable } from "./database.ts";

/** Where bytes lie, and whose they are. */
export interface UnsettledBlob {
  readonly storeId: string;
  readonly blobKey: string;
}

/**
 * Holds a blob until the end of the transaction, so that it can't be condemned meanwhile; `false` when it was already, or
 * is unknown: then its bytes are gone or will be, and no row may name it.
 */
export async function holdBlob(transaction: Queryable, blob: UnsettledBlob): Promise<boolean> {
  const { rowCount } = await transaction.query({
    name: "blobs-hold",
    text: "SELECT 1 FROM unsettled_blobs WHERE store_id = $1 AND blob_key = $2 AND condemned_at IS NULL FOR UPDATE",
    values: [blob.storeId, blob.blobKey],
  });
  return rowCount === 1;
}

/** Takes out blobs: a row names them now, or their bytes are gone. */
export async function settleBlobs(
  database: Queryable,
  blobs: readonly UnsettledBlob[],
): Promise<void> {
  if (blobs.length === 0) return;
  await database.query({
    name: "blobs-settle",
    text: `DELETE FROM unsettled_blobs b USING unnest($1::uuid[], $2::text[]) AS given (store_id, blob_key)
           WHERE b.store_id = given.store_id AND b.blob_key = given.blob_key`,
    values: [blobs.map(({ storeId }) => storeId), blobs.map(({ blobKey }) => blobKey)],
  });
}

/**
 * Condemns blobs that have been unsettled for so long, also those whose deletion was begun an hour ago and never ended. Delete
 * their bytes, then settle them. One that a transaction holds is left alone.
 */
export async function condemnBlobs(
  database: Queryable,
  { hours, limit }: { hours: number; limit: number },
): Promise<UnsettledBlob[]> {
  const { rows } = await database.query<UnsettledBlob & Record<string, unknown>>({
    name: "blobs-condemn",
    text: `WITH old AS (
             SELECT store_id, blob_key FROM unsettled_blobs
             WHERE created_at < now() - $1 * interval '1 hour' AND (condemned_at IS NULL OR condemned_at < now() - interval '1 hour')
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
           )
           UPDATE unsettled_blobs b SET condemned_at = now() FROM old WHERE b.store_id = old.store_id AND b.blob_key = old.blob_key
           RETURNING b.store_id AS "storeId", b.blob_key AS "blobKey"`,
    values: [hours, limit],
  });
  return rows;
}
