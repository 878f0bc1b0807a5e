// What a store of media promises, whatever keeps the bytes.
import type { Readable } from "node:stream";
import { newId } from "@thikaa/schema";

export interface StoredBlob {
  /** Opaque, made by the store: keep it to open the bytes again. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Of the bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

export interface BlobStat {
  readonly size: number;
  readonly storedAt: Date;
}

/** Both ends count from 0 and are included, as in HTTP. */
export interface BlobRange {
  readonly start: number;
  readonly end?: number | undefined;
}

export interface OpenBlob {
  /** Of the whole blob. */
  readonly size: number;
  /** The bytes, or the range of them; must be read or destroyed. */
  readonly stream: Readable;
}

export interface PutOptions {
  /** A UUIDv7 that was never used; a new one otherwise. Who notes it before the bytes are written can find what a crash left. */
  readonly key?: string;
  /** More than so many bytes are refused with `BlobTooLargeError`, and nothing is kept. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Every driver passes the same conformance suite. All but `close` may throw `BlobStoreError`. */
export interface BlobStore {
  /** Stores a stream. When it resolves, the bytes survive a crash; when it rejects, nothing is left of them. */
  put(bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredBlob>;
  /** Opens a blob; `null` when there is none under that key. Throws `RangeError` for a range outside of it. */
  open(key: string, range?: BlobRange): Promise<OpenBlob | null>;
  /** `null` when there is none under that key. */
  stat(key: string): Promise<BlobStat | null>;
  /** Deletes; a key that is not there is fine. */
  delete(key: string): Promise<void>;
  /** Lets go of connections; what is being read or written fails. */
  close(): Promise<void>;
}

/** `unavailable`: the store is away or overloaded, and the same may succeed later. `refused`: it said no, so its settings are wrong. */
export type BlobStoreFault = "unavailable" | "refused";

/** The store itself failed. Its message is for the operator, and names no secret. */
export class BlobStoreError extends Error {
  readonly fault: BlobStoreFault;

  constructor(fault: BlobStoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BlobStoreError";
    this.fault = fault;
  }
}

export class BlobTooLargeError extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`The file is larger than ${maxBytes} bytes.`);
    this.name = "BlobTooLargeError";
    this.maxBytes = maxBytes;
  }
}

/** The key for new bytes. Throws when the one asked for can't be one. */
export function blobKeyFor({ key = newId() }: PutOptions): string {
  if (isBlobKey(key)) return key;
  throw new RangeError(`'${key}' can't be the key of a blob.`);
}

/** Whether a text can be a key at all: only what a store made passes, so that no key ever leads elsewhere. */
export function isBlobKey(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}
