// Keys as texts: whatever Baileys gives to be kept comes back as it was, bytes as bytes.
import { initAuthCreds } from "@whiskeysockets/baileys";
import { expect, test } from "vitest";
import { readCredentials, readKey, writeText } from "./key-text.ts";

test("credentials come back with their bytes", () => {
  const creds = initAuthCreds();
  const read = readCredentials(writeText(creds));
  expect(Buffer.from(read.noiseKey.private)).toEqual(Buffer.from(creds.noiseKey.private));
  expect(Buffer.from(read.signedPreKey.signature)).toEqual(
    Buffer.from(creds.signedPreKey.signature),
  );
  expect(read.registrationId).toBe(creds.registrationId);
  // Not in room that is shared with whatever else was read then.
  const { private: key } = read.signedIdentityKey;
  expect(key.buffer.byteLength).toBe(key.byteLength);
});

test("a key of bytes comes back as bytes, one without any as it was", () => {
  const pair = { public: Uint8Array.of(1, 2), private: Uint8Array.of(3) };
  expect(readKey("pre-key", writeText(pair))).toEqual({
    public: Buffer.of(1, 2),
    private: Buffer.of(3),
  });
  expect(readKey("session", writeText(Uint8Array.of(7, 8)))).toEqual(Buffer.of(7, 8));
  expect(readKey("lid-mapping", writeText("100200300"))).toBe("100200300");
  expect(readKey("device-list", writeText(["0", "17"]))).toEqual(["0", "17"]);
});

test("a record of numbers by numbers is no row of bytes", () => {
  const record = { _sessions: { a: { chains: { b: { messageKeys: { 0: 5, 1: 6 } } } } } };
  expect(readKey("session", JSON.stringify(record))).toEqual(record);
});
