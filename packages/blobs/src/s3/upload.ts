// One upload of unknown size: small ones go in one request, larger ones by parts, and only one part is ever in memory.
import { escapeXml, S3AnswerError, xmlText } from "./answer-error.ts";
import type { S3Client } from "./client.ts";
import { BlobStoreError } from "../blob-store.ts";

/** Above S3's least size of a part (5 MiB); 10,000 parts of it hold 80 GB. */
const partBytes = 8 * 1_048_576;
/** Tidying up after a failure may not keep the caller waiting for a store that is away. */
const discardWithinMs = 10_000;

export class S3Upload {
  readonly #client: S3Client;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #tags: string[] = [];
  #chunks: Uint8Array[] = [];
  #held = 0;
  #size = 0;
  #uploadId: string | null = null;
  #mayExist = false;

  constructor(upload: { client: S3Client; key: string; signal: AbortSignal | undefined }) {
    this.#client = upload.client;
    this.#key = upload.key;
    this.#signal = upload.signal;
  }

  /** Takes bytes; resolves once there is room for more. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + partBytes - this.#held);
      this.#chunks.push(piece);
      this.#held += piece.length;
      from += piece.length;
      if (this.#held === partBytes) await this.#sendPart();
    }
  }

  /** Sends what is left; when it resolves, the object is there. */
  async finish(): Promise<void> {
    if (this.#uploadId === null) return this.#putWhole();
    if (this.#held > 0) await this.#sendPart();
    await this.#complete(this.#uploadId);
  }

  /** Removes what an upload that failed may have left, as far as the store answers. */
  async discard(): Promise<void> {
    const common = { key: this.#key, signal: AbortSignal.timeout(discardWithinMs) };
    try {
      if (this.#uploadId !== null)
        await this.#client.sendForText({
          ...common,
          operation: "AbortMultipartUpload",
          method: "DELETE",
          query: { uploadId: this.#uploadId },
        });
    } catch {
      // Told already by the failure that led here; the bucket's own rule clears unfinished uploads.
    }
    if (!this.#mayExist) return;
    await this.#client
      .sendForText({ ...common, operation: "DeleteObject", method: "DELETE" })
      .catch(() => {});
  }

  async #putWhole(): Promise<void> {
    this.#mayExist = true;
    await this.#client.sendForText({
      operation: "PutObject",
      method: "PUT",
      key: this.#key,
      body: this.#take(),
      signal: this.#signal,
    });
  }

  async #sendPart(): Promise<void> {
    const uploadId = (this.#uploadId ??= await this.#begin());
    const { headers } = await this.#client.sendForText({
      operation: "UploadPart",
      method: "PUT",
      key: this.#key,
      query: { partNumber: String(this.#tags.length + 1), uploadId },
      body: this.#take(),
      signal: this.#signal,
    });
    const tag = headers["etag"];
    if (typeof tag !== "string")
      throw new BlobStoreError("refused", "The media store took a part without naming its ETag.");
    this.#tags.push(tag);
  }

  async #begin(): Promise<string> {
    const { text } = await this.#client.sendForText({
      operation: "CreateMultipartUpload",
      method: "POST",
      key: this.#key,
      query: { uploads: "" },
      signal: this.#signal,
    });
    const uploadId = xmlText(text, "UploadId");
    if (uploadId === null)
      throw new BlobStoreError("refused", "The media store began an upload without naming it.");
    return uploadId;
  }

  async #complete(uploadId: string): Promise<void> {
    this.#mayExist = true;
    const parts = this.#tags.map(
      (tag, index) =>
        `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
    );
    await this.#client
      .sendForText({
        operation: "CompleteMultipartUpload",
        method: "POST",
        key: this.#key,
        query: { uploadId },
        headers: { "content-type": "application/xml" },
        body: Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`),
        signal: this.#signal,
      })
      .catch((error: unknown) => this.#unlessComplete(error));
  }

  /** A first try whose answer was lost may have completed the upload: then the second one finds none. */
  async #unlessComplete(error: unknown): Promise<void> {
    if (!(error instanceof S3AnswerError) || error.code !== "NoSuchUpload") throw error;
    const answer = await this.#client.send({
      operation: "HeadObject",
      method: "HEAD",
      key: this.#key,
      signal: this.#signal,
    });
    await answer.body.dump();
    if (Number(answer.headers["content-length"]) !== this.#size) throw error;
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#held = 0;
    return bytes;
  }
}
