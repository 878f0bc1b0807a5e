// The public door of blobs: exports only.
export {
  BlobStoreError,
  BlobTooLargeError,
  isBlobKey,
  type BlobRange,
  type BlobStat,
  type BlobStore,
  type BlobStoreFault,
  type OpenBlob,
  type PutOptions,
  type StoredBlob,
} from "./blob-store.ts";
export { blobStoreUrlFault, openBlobStore } from "./open.ts";
export { FolderBlobStore } from "./folder.ts";
export { S3BlobStore } from "./s3/s3.ts";
