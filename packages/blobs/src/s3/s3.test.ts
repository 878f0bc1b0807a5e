// Blobs in an S3 store that speaks the real protocol: the conformance suite, places, and wrong settings.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { startS3StandIn } from "@thikaa/stand-ins";
import type { S3StandIn } from "@thikaa/stand-ins";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testBlobStore } from "../fixtures/conformance.ts";
import { s3Url } from "../fixtures/s3-url.ts";
import { S3BlobStore } from "./s3.ts";

let standIn: S3StandIn;
let store: S3BlobStore;
beforeEach(async () => {
  standIn = await startS3StandIn();
  store = new S3BlobStore(s3Url(standIn));
});
afterEach(async () => {
  await store.close();
  await standIn.close();
});

describe("by a bucket", () => {
  testBlobStore(() => ({
    store,
    reopen: async () => new S3BlobStore(s3Url(standIn)),
    count: async () => standIn.objects().length + standIn.unfinishedUploads,
  }));
});

test("a folder in the URL is where its objects are, and others stay out of sight", async () => {
  const inFolder = new S3BlobStore(s3Url(standIn, { bucket: "media/house/one" }));
  const { key } = await inFolder.put(Readable.from([Buffer.from("x")]));
  expect(standIn.objects()).toEqual([`media/house/one/${key}`]);
  expect([await store.stat(key), (await inFolder.stat(key))?.size]).toEqual([null, 1]);
  await inFolder.close();
});

describe("wrong settings are refused at the first use, by S3's own word, without the secret", () => {
  test.each([
    ["secret", { secretAccessKey: "another-secret" }, "SignatureDoesNotMatch"],
    ["key", { accessKeyId: "ANOTHERKEY" }, "InvalidAccessKeyId"],
    ["region", { region: "eu-south-9" }, "AuthorizationHeaderMalformed"],
    ["bucket", { bucket: "no-such-bucket" }, "NoSuchBucket"],
  ])("%s", async (_name, change, code) => {
    const wrong = new S3BlobStore(s3Url(standIn, change));
    const failure = await wrong
      .put(Readable.from([Buffer.from("x")]))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ fault: "refused", code });
    expect(String(failure)).not.toMatch(/another-secret|stand-in\/secret/);
    await wrong.close();
  });
});

test("a stand-in with a folder of its own finds its objects again, and deleted ones stay deleted", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-s3-"));
  const first = await startS3StandIn({ folder });
  const before = new S3BlobStore(s3Url(first));
  const kept = await before.put(Readable.from([Buffer.from("kept")]));
  const deleted = await before.put(Readable.from([Buffer.from("deleted")]));
  await before.delete(deleted.key);
  await before.close();
  await first.close();
  const second = await startS3StandIn({ folder });
  const after = new S3BlobStore(s3Url(second));
  const opened = await after.open(kept.key);
  expect(opened === null ? null : (await buffer(opened.stream)).toString()).toBe("kept");
  expect(second.objects()).toEqual([`media/${kept.key}`]);
  await after.close();
  await second.close();
  await rm(folder, { recursive: true });
});
