// Blobs in a folder: each one file, written beside its place, flushed and renamed, so that a crash leaves all of it or nothing.
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { BlobTooLargeError, blobKeyFor, isBlobKey } from "./blob-store.ts";
import type {
  BlobRange,
  BlobStat,
  BlobStore,
  OpenBlob,
  PutOptions,
  StoredBlob,
} from "./blob-store.ts";

/** A file that is being written is at most so old; older ones were left by a crash. */
const unfinishedForMs = 24 * 3_600_000;

export class FolderBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #unfinished: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#unfinished = join(folder, "unfinished");
  }

  /** Opens a folder, makes it when it is not there, and clears what crashes left half written. */
  static async open(folder: string): Promise<FolderBlobStore> {
    const store = new FolderBlobStore(resolve(folder));
    await mkdir(store.#unfinished, { recursive: true, mode: 0o700 });
    await store.#clearUnfinished();
    return store;
  }

  async put(bytes: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredBlob> {
    const key = blobKeyFor(options);
    const [unfinished, path] = [join(this.#unfinished, key), this.#pathOf(key)];
    try {
      const written = await writeFlushed(unfinished, bytes, options);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(unfinished, path);
      // The file's name is safe only once its folder is on disk, and a new folder's name once its parent is.
      await flushFolder(dirname(path));
      await flushFolder(this.#folder);
      return { key, ...written };
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async open(key: string, range?: BlobRange): Promise<OpenBlob | null> {
    if (!isBlobKey(key)) return null;
    const file = await open(this.#pathOf(key), "r").catch(ifMissing);
    if (file === null) return null;
    try {
      const { size } = await file.stat();
      const stream = file.createReadStream(boundsOf(size, range));
      return { size, stream };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async stat(key: string): Promise<BlobStat | null> {
    if (!isBlobKey(key)) return null;
    const found = await stat(this.#pathOf(key)).catch(ifMissing);
    return found === null ? null : { size: found.size, storedAt: found.mtime };
  }

  async delete(key: string): Promise<void> {
    if (isBlobKey(key)) await rm(this.#pathOf(key), { force: true });
  }

  async close(): Promise<void> {}

  /** Spread by the random end of the key: its beginning is the time, and would fill one folder. */
  #pathOf(key: string): string {
    return join(this.#folder, key.slice(-2), key);
  }

  async #clearUnfinished(): Promise<void> {
    for (const name of await readdir(this.#unfinished)) {
      const path = join(this.#unfinished, name);
      const found = await stat(path).catch(ifMissing);
      if (found !== null && Date.now() - found.mtimeMs > unfinishedForMs)
        await rm(path, { force: true });
    }
  }
}

async function writeFlushed(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: PutOptions,
): Promise<{ size: number; sha256: string }> {
  const file = await open(path, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (maxBytes !== undefined && size > maxBytes) throw new BlobTooLargeError(maxBytes);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    signal?.throwIfAborted();
    await file.sync();
    return { size, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;)
    written += (await file.write(chunk, written)).bytesWritten;
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function boundsOf(size: number, range: BlobRange | undefined): { start?: number; end?: number } {
  if (range === undefined) return {};
  const { start, end = size - 1 } = range;
  if (
    !Number.isSafeInteger(start) ||
    !Number.isSafeInteger(end) ||
    start < 0 ||
    start >= size ||
    end < start
  )
    throw new RangeError(`The file has ${size} bytes; the range is outside of it.`);
  return { start, end: Math.min(end, size - 1) };
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
