// Sweeping with a real folder and real rows: what a killed process left goes, what a row names or may still name stays.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { FolderBlobStore } from "@thikaa/blobs";
import {
  createConnection,
  createMedia,
  createStore,
  Database,
  findMedia,
  holdBlob,
  settleMedia,
} from "@thikaa/db";
import { newId } from "@thikaa/schema";
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sweepBlobs } from "./blob-sweeper.ts";

let testDatabase: TestDatabase;
let database: Database;
let folder: string;
let blobs: FolderBlobStore;
let storeId: string;
const connectionId = newId();

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "sweeper" });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 4 });
  folder = await mkdtemp(join(tmpdir(), "thikaa-sweeper-"));
  blobs = await FolderBlobStore.open(folder);
  storeId = await createStore(database, {
    slug: "shop",
    name: "Shop",
    environment: "live",
    plan: "professional",
    defaultCallingCode: null,
    creditMicro: 0,
  });
  await createConnection(database, {
    id: connectionId,
    storeId,
    channel: "tg",
    name: "test",
    environment: "live",
    credentialsSealed: "-",
    webhookSecretSealed: "-",
    settings: {},
    priceMicro: null,
  });
});
afterAll(async () => {
  await database.close();
  await testDatabase.close();
  await rm(folder, { recursive: true });
});

/** Bytes in the folder, noted so many hours ago as a claim notes them, and the file that they are for. */
async function keep(hours: number) {
  const media = { storeId, id: newId() };
  await createMedia(database, { ...media, connectionId, mime: null, name: null });
  const blobKey = newId();
  await database.query({
    text: "INSERT INTO unsettled_blobs (store_id, blob_key, created_at) VALUES ($1, $2, now() - $3 * interval '1 hour')",
    values: [storeId, blobKey, hours],
  });
  const { size, sha256 } = await blobs.put(Readable.from([Buffer.from("صورة")]), { key: blobKey });
  const result = { status: "ready", blobKey, size, sha256, mime: null, name: null } as const;
  return { media, blobKey, settle: () => settleMedia(database, media, result) };
}

const isThere = async (key: string) => (await blobs.stat(key)) !== null;
const sweep = () => sweepBlobs({ database, blobs });

test("bytes that a killed process left are deleted after a day, and not before", async () => {
  const [left, young] = [await keep(25), await keep(23)];
  expect(await sweep()).toBe(1);
  expect([await isThere(left.blobKey), await isThere(young.blobKey)]).toEqual([false, true]);
  expect(await sweep()).toBe(0);
});

test("bytes that a row names stay, however old", async () => {
  const kept = await keep(25);
  expect(await kept.settle()).toMatchObject({ settled: true });
  expect(await sweep()).toBe(0);
  expect(await isThere(kept.blobKey)).toBe(true);
  expect(await findMedia(database, kept.media)).toMatchObject({ status: "ready" });
});

test("bytes that a running transaction is about to name stay", async () => {
  const kept = await keep(25);
  await database.transaction(async (transaction) => {
    expect(await holdBlob(transaction, { storeId, blobKey: kept.blobKey })).toBe(true);
    expect(await sweep()).toBe(0);
  });
  expect(await isThere(kept.blobKey)).toBe(true);
  expect(await kept.settle()).toMatchObject({ settled: true });
});

test("who comes after the sweep is refused: no row ever names bytes that are gone, and the file is fetched anew", async () => {
  const late = await keep(25);
  await sweep();
  expect(await late.settle()).toEqual({ settled: false, shard: null });
  expect(await findMedia(database, late.media)).toMatchObject({ status: "pending" });
});

test("a sweep that was killed between its steps is ended by a later one; meanwhile no row may name the bytes", async () => {
  const left = await keep(25);
  const away = Object.assign(Object.create(blobs) as FolderBlobStore, {
    delete: () => Promise.reject(new Error("killed")),
  });
  await expect(sweepBlobs({ database, blobs: away })).rejects.toThrow("killed");
  expect(await left.settle()).toMatchObject({ settled: false });
  expect(await sweep()).toBe(0);
  await database.query({
    text: "UPDATE unsettled_blobs SET condemned_at = now() - interval '61 minutes' WHERE blob_key = $1",
    values: [left.blobKey],
  });
  expect(await sweep()).toBe(1);
  expect(await isThere(left.blobKey)).toBe(false);
});
