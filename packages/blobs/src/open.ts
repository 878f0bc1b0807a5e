// Opens the store of media that `MEDIA_STORE_URL` names.
import { fileURLToPath } from "node:url";
import type { BlobStore } from "./blob-store.ts";
import { FolderBlobStore } from "./folder.ts";
import { parseS3Url } from "./s3/location.ts";
import { S3BlobStore } from "./s3/s3.ts";

const forms =
  "a folder's URL, like file:///var/lib/thikaa/media, or a bucket's, like s3://key:password@s3.example.com/bucket?region=us-east-1";

/**
 * Opens a folder by a `file:` URL or a bucket by an `s3:` URL; throws for anything else, naming what can be given.
 * A folder is made when it is not there; a bucket is not asked for before its first use.
 */
export async function openBlobStore(url: string): Promise<BlobStore> {
  const fault = blobStoreUrlFault(url);
  if (fault !== null) throw new Error(`MEDIA_STORE_URL ${fault}`);
  return url.startsWith("s3:") ? new S3BlobStore(url) : FolderBlobStore.open(fileURLToPath(url));
}

/** What is wrong with a store's URL, to be read after its name; `null` when nothing is. Never names the secret in it. */
export function blobStoreUrlFault(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === "file:" && parsed.host === "") return null;
  if (parsed?.protocol !== "s3:") return `must be ${forms}.`;
  try {
    parseS3Url(url);
    return null;
  } catch (error) {
    return `must be ${forms}: ${error instanceof Error ? error.message : "it can't be read"}.`;
  }
}
