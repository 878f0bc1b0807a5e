// Keys and secrets that we hand out: API keys with a checksum, webhook secrets, tokens.
import { randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const prefix = "tk_live_";
const randomLength = 30;
const checksumLength = 6;
const shape = new RegExp(`^${prefix}[0-9A-Za-z]{${randomLength + checksumLength}}$`);

/** A new API key: `tk_live_`, 30 random base-62 characters and 6 of checksum. Shown once, never stored. */
export function newApiKey(): string {
  const body =
    prefix +
    Array.from({ length: randomLength }, () => base62.charAt(randomInt(base62.length))).join("");
  return body + checksum(body);
}

/** Whether a text has the shape of our API keys and its checksum fits; refuses most wrong keys before any look-up. */
export function looksLikeApiKey(text: string): boolean {
  return (
    shape.test(text) && checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength)
  );
}

/** What may be shown of a key later: its prefix with four characters, and its last four. */
export function keyHint(apiKey: string): { prefix: string; last4: string } {
  return { prefix: apiKey.slice(0, prefix.length + 4), last4: apiKey.slice(-4) };
}

/** A new webhook secret as Standard Webhooks writes it: `whsec_` and base64 of 32 bytes. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A new unguessable token for URLs and headers: 256 bits in base64url. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

function checksum(text: string): string {
  let value = crc32(text);
  let encoded = "";
  for (let index = 0; index < checksumLength; index++) {
    encoded = base62.charAt(value % base62.length) + encoded;
    value = Math.floor(value / base62.length);
  }
  return encoded;
}
