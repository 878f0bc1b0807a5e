// Rows of media: a store's own, pending until their bytes are kept, and kept once.
import { mediaReasonOf, newId } from "@thikaa/schema";
import { createTestDatabase } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createConnection } from "./connection-admin.ts";
import { Database } from "./database.ts";
import { createMedia, failMedia, findMedia, isReady, keepMedia } from "./media.ts";
import { createStore } from "./stores.ts";

let testDatabase: TestDatabase;
let database: Database;
const connectionId = newId();
let storeId: string;
let otherStoreId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "db_media" });
  database = new Database({ url: testDatabase.url, applicationName: "test", maxConnections: 2 });
  const newStore = (slug: string) =>
    createStore(database, {
      slug,
      name: slug,
      environment: "live",
      plan: "professional",
      defaultCallingCode: null,
      creditMicro: 0,
    });
  storeId = await newStore("one");
  otherStoreId = await newStore("other");
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
});

const create = async () => {
  const media = { storeId, id: newId() };
  await createMedia(database, { ...media, connectionId, mime: "image/jpeg", name: "صورة.jpg" });
  return media;
};
const bytes = { blobKey: newId(), size: 84_211, sha256: "a".repeat(64), mime: null, name: null };

test("it is pending until its bytes are kept, and keeps what the provider said of it", async () => {
  const media = await create();
  const pending = await findMedia(database, media);
  expect(pending).toMatchObject({ status: "pending", blob_key: null, size: null, sha256: null });
  expect(pending === null ? null : isReady(pending)).toBe(false);
  expect(await keepMedia(database, { ...media, ...bytes })).toBe(true);
  const ready = await findMedia(database, media);
  expect(ready).toMatchObject({
    status: "ready",
    blob_key: bytes.blobKey,
    size: 84_211,
    sha256: bytes.sha256,
    mime: "image/jpeg",
    name: "صورة.jpg",
    connection_id: connectionId,
  });
});

test("created twice it is one row; kept twice the first bytes stay, and the second keeper is told", async () => {
  const media = await create();
  await keepMedia(database, { ...media, ...bytes });
  await createMedia(database, { ...media, connectionId, mime: null, name: null });
  expect(await keepMedia(database, { ...media, ...bytes, blobKey: newId() })).toBe(false);
  expect(await findMedia(database, media)).toMatchObject({
    status: "ready",
    blob_key: bytes.blobKey,
  });
});

test("one that was given up stays so, with its reason; one that is ready is never given up", async () => {
  const reason = mediaReasonOf("media_expired");
  const [given, ready] = [await create(), await create()];
  expect(await failMedia(database, given, reason)).toBe(true);
  expect(await keepMedia(database, { ...given, ...bytes })).toBe(false);
  expect(await findMedia(database, given)).toMatchObject({ status: "failed" });
  await keepMedia(database, { ...ready, ...bytes });
  expect(await failMedia(database, ready, reason)).toBe(false);
  expect(await findMedia(database, ready)).toMatchObject({ status: "ready" });
});

test("another store neither finds nor keeps it, and has no media by this connection", async () => {
  const media = { ...(await create()), storeId: otherStoreId };
  expect(await findMedia(database, media)).toBeNull();
  expect(await keepMedia(database, { ...media, ...bytes })).toBe(false);
  await expect(
    createMedia(database, { ...media, id: newId(), connectionId, mime: null, name: null }),
  ).rejects.toThrow(/media_store_id_connection_id_fkey/);
});
