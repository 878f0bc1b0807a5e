// MEDIA_STORE_URL: what it may be, and what is said of what it may not be.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { blobStoreUrlFault, openBlobStore } from "./open.ts";
import { parseS3Url } from "./s3/location.ts";

test("a folder's URL opens it, also with a space in its name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-blobs-"));
  const opened = await openBlobStore(pathToFileURL(join(folder, "with space")).href);
  const { key } = await opened.put(Readable.from([Buffer.from("x")]));
  expect(await opened.stat(key)).toMatchObject({ size: 1 });
  await rm(folder, { recursive: true });
});

test("a bucket's URL is read part by part", () => {
  expect(parseS3Url("s3://KEY:s%2Fe%2Bc@s3.example.com/media?region=eu-central-1")).toEqual({
    origin: "https://s3.example.com",
    host: "s3.example.com",
    basePath: "/media/",
    region: "eu-central-1",
    credentials: { accessKeyId: "KEY", secretAccessKey: "s/e+c" },
  });
  expect(parseS3Url("s3://k:s@minio:9000/media/house/?tls=0")).toMatchObject({
    origin: "http://minio:9000",
    host: "minio:9000",
    basePath: "/media/house/",
    region: "us-east-1",
  });
  expect(parseS3Url("s3://k:s@s3.amazonaws.com:443/media/house?path-style=0")).toMatchObject({
    origin: "https://media.s3.amazonaws.com",
    host: "media.s3.amazonaws.com",
    basePath: "/house/",
  });
});

test.each(["", "media", "https://example.com/", "file://host/share", "/var/lib/media"])(
  "'%s' is refused with what can be given",
  async (url) => {
    await expect(openBlobStore(url)).rejects.toThrow("MEDIA_STORE_URL must be a folder's URL");
  },
);

test.each([
  ["s3://k:topsecret@host", "a host and a bucket"],
  ["s3:///media", "a host and a bucket"],
  ["s3://k:topsecret@host/UPPER", "a host and a bucket"],
  ["s3://host/media", "an access key and a secret key"],
  ["s3://k@host/media", "an access key and a secret key"],
  ["s3://k:topsecret%zz@host/media", "percent-encoded"],
  ["s3://k:topsecret@host/media/../other/a b", "letters, digits"],
  ["s3://k:topsecret@host/media?regoin=x", "not 'regoin'"],
  ["s3://k:topsecret@host/media?tls=no", "tls in an s3: URL is 0 or 1"],
])("%s is refused by its fault, without the secret", (url, fault) => {
  expect(blobStoreUrlFault(url)).toContain(fault);
  expect(blobStoreUrlFault(url)).not.toContain("topsecret");
});
