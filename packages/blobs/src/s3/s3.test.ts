// Blobs in an S3 store that speaks the real protocol: the conformance suite, faults of the store, and memory.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { startS3StandIn } from "@thikaa/stand-ins";
import type { S3Fault, S3StandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
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

const put = (bytes: Buffer) => store.put(Readable.from([bytes]));
const large = () => randomBytes(12_000_000);
const answered = (operation: string) =>
  standIn.calls().filter((call) => call.operation === operation).length;

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

describe("a fault that passes is not seen by the caller", () => {
  test.each<[string, S3Fault]>([
    ["overloaded", { kind: "server_error", status: 503 }],
    ["broken", { kind: "server_error", status: 500 }],
    ["stored, and said otherwise", { kind: "server_error", status: 500, accepted: true }],
    ["reset before", { kind: "reset_before_accept" }],
    ["reset after", { kind: "reset_after_accept" }],
  ])("%s", async (_name, fault) => {
    for (const operation of [
      "PutObject",
      "CreateMultipartUpload",
      "UploadPart",
      "CompleteMultipartUpload",
      "GetObject",
      "HeadObject",
      "DeleteObject",
    ] as const)
      standIn.faults.add({ ...fault, operation });
    const [small, bytes] = [await put(Buffer.from("small")), large()];
    const { key } = await put(bytes);
    const opened = await store.open(key);
    if (opened === null) throw new Error("It is not there.");
    expect((await buffer(opened.stream)).equals(bytes)).toBe(true);
    expect((await store.stat(key))?.size).toBe(bytes.length);
    await store.delete(small.key);
    expect(standIn.objects()).toEqual([`media/${key}`]);
  });
});

describe("a store that fails", () => {
  test("again and again is told as unavailable, in plain words, and leaves nothing", async () => {
    standIn.faults.add({ kind: "server_error", operation: "UploadPart", times: "always" });
    await expect(put(large())).rejects.toMatchObject({
      name: "S3AnswerError",
      fault: "unavailable",
      message:
        "The media store answered 503 to UploadPart (SlowDown: Please reduce your request rate.).",
    });
    expect([standIn.objects(), standIn.unfinishedUploads]).toEqual([[], 0]);
  });

  test("whose completion is lost is tidied up", async () => {
    standIn.faults.add({
      kind: "server_error",
      operation: "CompleteMultipartUpload",
      times: "always",
    });
    await expect(put(large())).rejects.toMatchObject({ fault: "unavailable" });
    standIn.faults.add({
      kind: "server_error",
      operation: "PutObject",
      times: "always",
      accepted: true,
    });
    await expect(put(Buffer.from("small"))).rejects.toMatchObject({ fault: "unavailable" });
    expect([standIn.objects(), standIn.unfinishedUploads]).toEqual([[], 0]);
  });

  test("by being away is told as unavailable", async () => {
    const { key } = await put(Buffer.from("x"));
    await standIn.close();
    await expect(store.open(key)).rejects.toMatchObject({
      name: "BlobStoreError",
      fault: "unavailable",
    });
  });

  test("in the middle of a file breaks the stream: half of it never looks whole", async () => {
    const { key } = await put(Buffer.alloc(1_000_000));
    standIn.faults.add({ kind: "truncated", operation: "GetObject" });
    const opened = await store.open(key);
    if (opened === null) throw new Error("It is not there.");
    await expect(buffer(opened.stream)).rejects.toThrow();
  });

  test("by hanging is given up with the caller's own reason", async () => {
    standIn.faults.add({ kind: "hang", operation: "PutObject" });
    const given = new AbortController();
    const putting = store.put(Readable.from([Buffer.from("x")]), { signal: given.signal });
    await Promise.all([
      expect(putting).rejects.toThrow("enough"),
      waitFor(() => answered("PutObject") === 1, { what: "the upload to hang" }).then(() =>
        given.abort(new Error("enough")),
      ),
    ]);
    expect(standIn.objects()).toEqual([]);
  });
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
