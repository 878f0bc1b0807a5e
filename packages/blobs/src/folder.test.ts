// Blobs in a real folder: whole or not at all, found by their keys only.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { newId } from "@thikaa/schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BlobRange } from "./blob-store.ts";
import { FolderBlobStore } from "./folder.ts";
import { openBlobStore } from "./open.ts";

let folder: string;
let store: FolderBlobStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thikaa-blobs-"));
  store = await FolderBlobStore.open(join(folder, "media"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (text: string) => store.put(Readable.from([Buffer.from(text)]));

async function read(key: string, range?: BlobRange): Promise<string | null> {
  const opened = await store.open(key, range);
  return opened === null ? null : (await buffer(opened.stream)).toString();
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test("what was put is opened again whole, with its size and SHA-256, also after opening the folder anew", async () => {
  const bytes = Buffer.alloc(300_000, "صورة");
  const stored = await store.put(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]));
  expect(stored).toMatchObject({
    size: 300_000,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  const opened = await (await FolderBlobStore.open(join(folder, "media"))).open(stored.key);
  expect(opened?.size).toBe(300_000);
  if (opened !== null) expect((await buffer(opened.stream)).equals(bytes)).toBe(true);
  expect((await store.stat(stored.key))?.size).toBe(300_000);
});

test("a range gives just its bytes, and one outside is refused", async () => {
  const { key } = await put("0123456789");
  expect(await read(key, { start: 2, end: 4 })).toBe("234");
  expect(await read(key, { start: 7 })).toBe("789");
  expect(await read(key, { start: 9, end: 500 })).toBe("9");
  for (const range of [{ start: 10 }, { start: -1 }, { start: 5, end: 4 }, { start: 0.5 }])
    await expect(store.open(key, range)).rejects.toThrow(RangeError);
});

test("an empty file is a file", async () => {
  const { key, size } = await put("");
  expect([size, await read(key)]).toEqual([0, ""]);
});

test("a stream that breaks, is too long or is given up leaves nothing", async () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1_000);
  };
  const breaking = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("half");
    throw new Error("the line broke");
  };
  await expect(store.put(breaking())).rejects.toThrow("the line broke");
  await expect(store.put(endless(), { maxBytes: 5_000 })).rejects.toMatchObject({
    name: "BlobTooLargeError",
    maxBytes: 5_000,
  });
  await expect(store.put(endless(), { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: "TimeoutError",
  });
  expect(await filesBelow(folder)).toEqual([]);
});

test("what a crash left half written is cleared after a day, what is being written stays", async () => {
  const unfinished = join(folder, "media", "unfinished");
  await writeFile(join(unfinished, "old"), "x");
  await writeFile(join(unfinished, "new"), "x");
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(unfinished, "old"), yesterday, yesterday);
  await FolderBlobStore.open(join(folder, "media"));
  expect(await filesBelow(unfinished)).toEqual(["new"]);
});

test("deleting removes it, and deleting again is fine", async () => {
  const { key } = await put("x");
  await store.delete(key);
  await store.delete(key);
  expect([await store.open(key), await store.stat(key), await filesBelow(folder)]).toEqual([
    null,
    null,
    [],
  ]);
});

test("a key that no store made leads nowhere, wherever it points", async () => {
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "media", "secret"), "secret");
  const keys = [
    "../secret",
    "../../secret",
    "secret",
    "/etc/passwd",
    "..",
    "",
    "a\0b",
    `../${newId()}`,
    newId().toUpperCase(),
    newId(),
  ];
  for (const key of keys) {
    expect(await store.open(key)).toBeNull();
    expect(await store.stat(key)).toBeNull();
    await store.delete(key);
  }
  expect(await filesBelow(folder)).toHaveLength(2);
});

test("MEDIA_STORE_URL opens a folder, and says what it can be otherwise", async () => {
  const opened = await openBlobStore(pathToFileURL(join(folder, "with space")).href);
  const { key } = await opened.put(Readable.from([Buffer.from("x")]));
  expect(await opened.stat(key)).toMatchObject({ size: 1 });
  for (const url of ["", "media", "https://example.com/", "file://host/share"])
    await expect(openBlobStore(url)).rejects.toThrow("MEDIA_STORE_URL must be");
});
