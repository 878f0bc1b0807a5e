// The vault: what is sealed opens only in its place and with its key; API keys carry a checksum.
import { expect, test } from "vitest";
import { looksLikeApiKey, newApiKey, newWebhookSecret } from "./keys.ts";
import { newMasterKey } from "./master-key.ts";
import { Vault } from "./vault.ts";

test("a sealed secret opens in its own place only", () => {
  const vault = new Vault(newMasterKey());
  const sealed = vault.seal("7100200300:سرّ", "connections|credentials|1");
  expect(sealed).not.toContain("7100200300");
  expect(vault.open(sealed, "connections|credentials|1")).toBe("7100200300:سرّ");
  expect(() => vault.open(sealed, "connections|credentials|2")).toThrow();
});

test("an altered secret does not open", () => {
  const vault = new Vault(newMasterKey());
  const sealed = vault.seal("secret", "place");
  const altered = sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA");
  expect(() => vault.open(altered, "place")).toThrow();
});

test("after a rotation old secrets still open, new ones use the new key, and API keys keep their hash", () => {
  const [old, next] = [newMasterKey("k1"), newMasterKey("k2")];
  const sealedBefore = new Vault(old).seal("secret", "place");
  const rotated = new Vault(`${next},${old}`);
  expect(rotated.open(sealedBefore, "place")).toBe("secret");
  expect(rotated.seal("secret", "place")).toMatch(/^v1\.k2\./);
  expect(rotated.hashApiKey("key")).toEqual(new Vault(old).hashApiKey("key"));
  expect(() => new Vault(next).open(sealedBefore, "place")).toThrow(/master key 'k1'/);
});

test("a master key that is not 32 bytes is refused with how to write it", () => {
  expect(() => new Vault("k1:c2hvcnQ=")).toThrow(/openssl rand/);
});

test("an API key is told from a mistyped one by its checksum", () => {
  const key = newApiKey();
  expect(key).toMatch(/^tk_live_[0-9A-Za-z]{36}$/);
  expect(looksLikeApiKey(key)).toBe(true);
  const mistyped = key.slice(0, 12) + (key[12] === "a" ? "b" : "a") + key.slice(13);
  expect(looksLikeApiKey(mistyped)).toBe(false);
  expect(looksLikeApiKey("tk_live_")).toBe(false);
});

test("a webhook secret is 32 bytes in base64 after its prefix", () => {
  expect(Buffer.from(newWebhookSecret().replace("whsec_", ""), "base64")).toHaveLength(32);
});
