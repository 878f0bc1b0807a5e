// What the S3 stand-in keeps: objects and unfinished uploads, their bytes in files so that large ones cost no memory.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { appendFile, open, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { noSuchUpload, S3Error } from "./s3-error.ts";

export interface StoredFile {
  readonly path: string;
  readonly size: number;
  readonly md5: Buffer;
}

export interface StoredObject {
  readonly path: string;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  readonly contentType: string;
  readonly modifiedAt: Date;
}

interface Upload {
  readonly name: string;
  readonly contentType: string;
  readonly parts: Map<number, StoredFile>;
}

/** What was placed and deleted, a line each; the last line of a name holds. */
const JOURNAL = "objects.jsonl";
const journalLine = z.object({
  name: z.string(),
  object: z
    .object({
      file: z.string(),
      size: z.number(),
      etag: z.string(),
      contentType: z.string(),
      modifiedAt: z.coerce.date(),
    })
    .nullable(),
});

/** S3 takes a smaller part only as the last one. */
const leastPartBytes = 5 * 1_048_576;

/** Names are `bucket/key`. */
export class Shelf {
  readonly #folder: string;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, Upload>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens a folder, with the objects that an earlier shelf left in it; what it was writing is lost. */
  static async open(folder: string): Promise<Shelf> {
    const shelf = new Shelf(folder);
    const text = await readFile(join(folder, JOURNAL), "utf8").catch(() => "");
    for (const line of text.split("\n").slice(0, -1)) {
      const { name, object } = journalLine.parse(JSON.parse(line));
      if (object === null) shelf.#objects.delete(name);
      else shelf.#objects.set(name, { ...object, path: join(folder, object.file) });
    }
    return shelf;
  }

  /** The names of all objects, in order. */
  names(): string[] {
    return [...this.#objects.keys()].toSorted();
  }

  /** Uploads that were begun and neither completed nor aborted. */
  get unfinished(): number {
    return this.#uploads.size;
  }

  find(name: string): StoredObject | undefined {
    return this.#objects.get(name);
  }

  /** Writes bytes to a file of their own; one that does not have the SHA-256 that was promised is refused. */
  async receive(bytes: AsyncIterable<Buffer>, promised: string): Promise<StoredFile> {
    const path = join(this.#folder, randomUUID());
    const [md5, sha256] = [createHash("md5"), createHash("sha256")];
    let size = 0;
    const file = await open(path, "wx");
    try {
      for await (const chunk of bytes) {
        md5.update(chunk);
        sha256.update(chunk);
        size += chunk.length;
        await file.appendFile(chunk);
      }
      if (promised !== "UNSIGNED-PAYLOAD" && sha256.digest("hex") !== promised)
        throw new S3Error(
          400,
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return { path, size, md5: md5.digest() };
  }

  async put(name: string, file: StoredFile, contentType: string): Promise<StoredObject> {
    return this.#place(name, { ...file, contentType, etag: `"${file.md5.toString("hex")}"` });
  }

  async delete(name: string): Promise<void> {
    const found = this.#objects.get(name);
    if (found === undefined) return;
    await this.#note(name, null);
    this.#objects.delete(name);
    await rm(found.path, { force: true });
  }

  begin(name: string, contentType: string): string {
    const uploadId = randomUUID();
    this.#uploads.set(uploadId, { name, contentType, parts: new Map() });
    return uploadId;
  }

  async addPart(part: {
    uploadId: string;
    name: string;
    number: number;
    file: StoredFile;
  }): Promise<void> {
    const upload = this.#upload(part.uploadId, part.name);
    const former = upload.parts.get(part.number);
    upload.parts.set(part.number, part.file);
    if (former !== undefined) await rm(former.path, { force: true });
  }

  /** Makes the object of the parts named, in that order. */
  async complete(
    uploadId: string,
    name: string,
    wanted: readonly { number: number; etag: string }[],
  ): Promise<StoredObject> {
    const upload = this.#upload(uploadId, name);
    const parts = wanted.map((part, index) => {
      if (index > 0 && part.number <= (wanted[index - 1]?.number ?? 0))
        throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
      return partOf(upload, part);
    });
    if (parts.length === 0)
      throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed.");
    if (parts.slice(0, -1).some(({ size }) => size < leastPartBytes))
      throw new S3Error(
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
      );
    const joined = await this.#join(parts);
    const digest = createHash("md5").update(Buffer.concat(parts.map(({ md5 }) => md5)));
    const placed = await this.#place(name, {
      ...joined,
      contentType: upload.contentType,
      etag: `"${digest.digest("hex")}-${parts.length}"`,
    });
    await this.abort(uploadId, name);
    return placed;
  }

  async abort(uploadId: string, name: string): Promise<void> {
    const { parts } = this.#upload(uploadId, name);
    this.#uploads.delete(uploadId);
    for (const { path } of parts.values()) await rm(path, { force: true });
  }

  #upload(uploadId: string, name: string): Upload {
    const upload = this.#uploads.get(uploadId);
    if (upload === undefined || upload.name !== name) throw noSuchUpload();
    return upload;
  }

  async #join(parts: readonly StoredFile[]): Promise<{ path: string; size: number }> {
    const path = join(this.#folder, randomUUID());
    const file = await open(path, "wx");
    try {
      for (const part of parts)
        for await (const chunk of createReadStream(part.path))
          await file.appendFile(chunk as Buffer);
    } finally {
      await file.close();
    }
    return { path, size: parts.reduce((sum, { size }) => sum + size, 0) };
  }

  async #place(
    name: string,
    object: { path: string; size: number; etag: string; contentType: string },
  ): Promise<StoredObject> {
    const { path, size, etag, contentType } = object;
    await this.delete(name);
    const placed = { path, size, etag, contentType, modifiedAt: new Date() };
    await this.#note(name, placed);
    this.#objects.set(name, placed);
    return placed;
  }

  async #note(name: string, object: StoredObject | null): Promise<void> {
    const noted =
      object === null
        ? null
        : {
            file: basename(object.path),
            size: object.size,
            etag: object.etag,
            contentType: object.contentType,
            modifiedAt: object.modifiedAt,
          };
    await appendFile(join(this.#folder, JOURNAL), `${JSON.stringify({ name, object: noted })}\n`);
  }
}

function partOf(upload: Upload, wanted: { number: number; etag: string }): StoredFile {
  const part = upload.parts.get(wanted.number);
  if (part === undefined || part.md5.toString("hex") !== wanted.etag)
    throw new S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.");
  return part;
}
