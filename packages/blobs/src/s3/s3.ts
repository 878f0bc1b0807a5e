// Blobs in a bucket of an S3 store: each one object, which S3 shows whole or not at all.
import { createHash } from "node:crypto";
import { BlobStoreError, BlobTooLargeError, blobKeyFor, isBlobKey } from "../blob-store.ts";
import type {
  BlobRange,
  BlobStat,
  BlobStore,
  OpenBlob,
  PutOptions,
  StoredBlob,
} from "../blob-store.ts";
import { isMissing, S3AnswerError } from "./answer-error.ts";
import { S3Client } from "./client.ts";
import type { S3Answer } from "./client.ts";
import { parseS3Url } from "./location.ts";
import { S3Upload } from "./upload.ts";

export class S3BlobStore implements BlobStore {
  readonly #client: S3Client;

  /** Takes an `s3:` URL and calls nobody yet: a store that is away is told by the first use. Throws when the URL is wrong. */
  constructor(url: string) {
    this.#client = new S3Client(parseS3Url(url));
  }

  async put(bytes: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredBlob> {
    const { maxBytes, signal } = options;
    const key = blobKeyFor(options);
    const upload = new S3Upload({ client: this.#client, key, signal });
    try {
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        size += chunk.length;
        if (maxBytes !== undefined && size > maxBytes) throw new BlobTooLargeError(maxBytes);
        hash.update(chunk);
        await upload.write(chunk);
      }
      signal?.throwIfAborted();
      await upload.finish();
      return { key, size, sha256: hash.digest("hex") };
    } catch (error) {
      await upload.discard();
      throw error;
    }
  }

  async open(key: string, range?: BlobRange): Promise<OpenBlob | null> {
    if (!isBlobKey(key)) return null;
    const headers: Record<string, string> =
      range === undefined ? {} : { range: rangeHeader(range) };
    const answer = await this.#client
      .send({ operation: "GetObject", method: "GET", key, headers })
      .catch(nullIfMissing);
    if (answer === null) return null;
    const size = range === undefined ? lengthOf(answer) : wholeSizeOf(answer);
    if (size !== null) return { size, stream: answer.body };
    answer.body.destroy();
    throw new BlobStoreError("refused", "The media store did not say how long the file is.");
  }

  async stat(key: string): Promise<BlobStat | null> {
    if (!isBlobKey(key)) return null;
    const answer = await this.#client
      .send({ operation: "HeadObject", method: "HEAD", key })
      .catch(nullIfMissing);
    if (answer === null) return null;
    await answer.body.dump();
    const storedAt = new Date(String(answer.headers["last-modified"]));
    return { size: lengthOf(answer) ?? 0, storedAt };
  }

  async delete(key: string): Promise<void> {
    if (!isBlobKey(key)) return;
    await this.#client
      .sendForText({ operation: "DeleteObject", method: "DELETE", key })
      .catch(nullIfMissing);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function rangeHeader({ start, end }: BlobRange): string {
  const valid =
    Number.isSafeInteger(start) &&
    start >= 0 &&
    (end === undefined || (Number.isSafeInteger(end) && end >= start));
  if (!valid)
    throw new RangeError("A range is two whole numbers, the second not before the first.");
  return `bytes=${start}-${end ?? ""}`;
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null;
  if (error instanceof S3AnswerError && error.status === 416)
    throw new RangeError("The range is outside of the file.", { cause: error });
  throw error;
}

function lengthOf({ headers }: S3Answer): number | null {
  return toSize(headers["content-length"]);
}

/** From `Content-Range: bytes 0-9/300`; an answer without it is the whole file, which nobody asked for. */
function wholeSizeOf({ statusCode, headers }: S3Answer): number | null {
  if (statusCode !== 206) return null;
  return toSize(/\/(\d+)$/.exec(String(headers["content-range"]))?.[1]);
}

function toSize(text: string | string[] | undefined): number | null {
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
