// The public door of blobs: exports only.
export {
  BlobTooLargeError,
  isBlobKey,
  type BlobRange,
  type BlobStat,
  type BlobStore,
  type OpenBlob,
  type PutOptions,
  type StoredBlob,
} from "./blob-store.ts";
export { openBlobStore } from "./open.ts";
export { FolderBlobStore } from "./folder.ts";
