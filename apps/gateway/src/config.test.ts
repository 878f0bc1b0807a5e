// Settings of the gateway: where media are kept is judged with the others, and its secret is never repeated.
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const given = { DATABASE_URL: "postgresql://x", NATS_URL: "nats://x", THIKAA_MASTER_KEY: "k1:x" };

test("media are kept where MEDIA_STORE_URL says, and nowhere without it", () => {
  expect(readConfig(given).mediaStoreUrl).toBeNull();
  const url = "s3://key:secret@s3.example.com/media";
  expect(readConfig({ ...given, MEDIA_STORE_URL: url }).mediaStoreUrl).toBe(url);
});

test("a wrong MEDIA_STORE_URL is told among the other faults, without its secret", () => {
  const read = () =>
    readConfig({ MEDIA_STORE_URL: "s3://key:topsecret@s3.example.com/media?regoin=x" });
  expect(read).toThrow(/MEDIA_STORE_URL: must be .*not 'regoin'/);
  expect(read).toThrow(/DATABASE_URL: is not set/);
  expect(read).not.toThrow(/topsecret/);
});
