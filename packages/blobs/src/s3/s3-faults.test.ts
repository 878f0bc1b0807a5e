// Faults of an S3 store: those that pass are not seen, those that stay are told in plain words. All at once, since most of it is waiting.
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { startS3StandIn } from "@thikaa/stand-ins";
import type { S3Fault, S3StandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import { describe, test } from "vitest";
import { s3Url } from "../fixtures/s3-url.ts";
import { S3BlobStore } from "./s3.ts";

/** Runs a test with a store of its own. */
async function withStore(
  work: (given: { standIn: S3StandIn; store: S3BlobStore }) => Promise<void>,
): Promise<void> {
  const standIn = await startS3StandIn();
  const store = new S3BlobStore(s3Url(standIn));
  try {
    await work({ standIn, store });
  } finally {
    await store.close();
    await standIn.close();
  }
}

const put = (store: S3BlobStore, bytes: Buffer) => store.put(Readable.from([bytes]));
const large = () => randomBytes(12_000_000);

describe.concurrent("a fault that passes is not seen by the caller", () => {
  test.for<[string, S3Fault]>([
    ["overloaded", { kind: "server_error", status: 503 }],
    ["broken", { kind: "server_error", status: 500 }],
    ["stored, and said otherwise", { kind: "server_error", status: 500, accepted: true }],
    ["reset before", { kind: "reset_before_accept" }],
    ["reset after", { kind: "reset_after_accept" }],
  ])("%s", ([, fault], { expect }) =>
    withStore(async ({ standIn, store }) => {
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
      const [small, bytes] = [await put(store, Buffer.from("small")), large()];
      const { key } = await put(store, bytes);
      const opened = await store.open(key);
      if (opened === null) throw new Error("It is not there.");
      expect((await buffer(opened.stream)).equals(bytes)).toBe(true);
      expect((await store.stat(key))?.size).toBe(bytes.length);
      await store.delete(small.key);
      expect(standIn.objects()).toEqual([`media/${key}`]);
    }),
  );
});

describe.concurrent("a store that fails", () => {
  test("again and again is told as unavailable, in plain words, and leaves nothing", ({ expect }) =>
    withStore(async ({ standIn, store }) => {
      standIn.faults.add({ kind: "server_error", operation: "UploadPart", times: "always" });
      await expect(put(store, large())).rejects.toMatchObject({
        name: "S3AnswerError",
        fault: "unavailable",
        message:
          "The media store answered 503 to UploadPart (SlowDown: Please reduce your request rate.).",
      });
      expect([standIn.objects(), standIn.unfinishedUploads]).toEqual([[], 0]);
    }));

  test("whose completion is lost is tidied up", ({ expect }) =>
    withStore(async ({ standIn, store }) => {
      standIn.faults.add({
        kind: "server_error",
        operation: "CompleteMultipartUpload",
        times: "always",
      });
      await expect(put(store, large())).rejects.toMatchObject({ fault: "unavailable" });
      standIn.faults.add({
        kind: "server_error",
        operation: "PutObject",
        times: "always",
        accepted: true,
      });
      await expect(put(store, Buffer.from("small"))).rejects.toMatchObject({
        fault: "unavailable",
      });
      expect([standIn.objects(), standIn.unfinishedUploads]).toEqual([[], 0]);
    }));

  test("by being away is told as unavailable", ({ expect }) =>
    withStore(async ({ standIn, store }) => {
      const { key } = await put(store, Buffer.from("x"));
      await standIn.close();
      await expect(store.open(key)).rejects.toMatchObject({
        name: "BlobStoreError",
        fault: "unavailable",
      });
    }));

  test("in the middle of a file breaks the stream: half of it never looks whole", ({ expect }) =>
    withStore(async ({ standIn, store }) => {
      const { key } = await put(store, Buffer.alloc(1_000_000));
      standIn.faults.add({ kind: "truncated", operation: "GetObject" });
      const opened = await store.open(key);
      if (opened === null) throw new Error("It is not there.");
      await expect(buffer(opened.stream)).rejects.toThrow();
    }));

  test("by hanging is given up with the caller's own reason", ({ expect }) =>
    withStore(async ({ standIn, store }) => {
      standIn.faults.add({ kind: "hang", operation: "PutObject" });
      const given = new AbortController();
      const putting = store.put(Readable.from([Buffer.from("x")]), { signal: given.signal });
      await Promise.all([
        expect(putting).rejects.toThrow("enough"),
        waitFor(() => standIn.calls().some(({ operation }) => operation === "PutObject"), {
          what: "the upload to hang",
        }).then(() => given.abort(new Error("enough"))),
      ]);
      expect(standIn.objects()).toEqual([]);
    }));
});
