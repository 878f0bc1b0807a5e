// The vault: seals secrets at rest with AES-256-GCM under keys derived from the master key.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { parseMasterKeys } from "./master-key.ts";

interface SealingKey {
  readonly id: string;
  readonly sealing: KeyObject;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals and opens secrets, and hashes API keys.
 * `THIKAA_MASTER_KEY` is `id:base64` of 32 bytes; several, separated by commas, allow rotation: the first seals, all open.
 * The pepper of API keys derives from the LAST one, which stays while keys hashed with it are in use.
 */
export class Vault {
  readonly #keys: ReadonlyMap<string, SealingKey>;
  readonly #current: SealingKey;
  readonly #pepper: KeyObject;

  constructor(masterKeys: string) {
    const keys = parseMasterKeys(masterKeys);
    const [first, ...rest] = keys;
    const toSealing = (key: typeof first): SealingKey => ({
      id: key.id,
      sealing: key.derive("thikaa sealing v1"),
    });
    this.#current = toSealing(first);
    this.#keys = new Map(
      [this.#current, ...rest.map(toSealing)].map((key): [string, SealingKey] => [key.id, key]),
    );
    this.#pepper = (keys.at(-1) ?? first).derive("thikaa api key pepper v1");
  }

  /** Seals a text. `place` (table, column and row) is bound to it: it opens nowhere else. */
  seal(text: string, place: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#current.sealing, nonce).setAAD(
      Buffer.from(place),
    );
    const sealed = Buffer.concat([
      cipher.update(text, "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `v1.${this.#current.id}.${nonce.toString("base64url")}.${sealed.toString("base64url")}`;
  }

  /** Opens what `seal` made for the same place. Throws when the key is missing, or the text was altered or moved. */
  open(sealed: string, place: string): string {
    const [version, id, nonce, body] = sealed.split(".");
    const key = id === undefined ? undefined : this.#keys.get(id);
    if (version !== "v1" || nonce === undefined || body === undefined)
      throw new Error("This is not a sealed secret.");
    if (key === undefined)
      throw new Error(
        `The master key '${id}' that sealed this secret is not in THIKAA_MASTER_KEY.`,
      );
    const bytes = Buffer.from(body, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", key.sealing, Buffer.from(nonce, "base64url"), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(bytes.length - tagBytes));
    return Buffer.concat([
      decipher.update(bytes.subarray(0, bytes.length - tagBytes)),
      decipher.final(),
    ]).toString("utf8");
  }

  /** The only form of an API key that is kept: HMAC-SHA256 with the pepper. */
  hashApiKey(apiKey: string): Buffer {
    return createHmac("sha256", this.#pepper).update(apiKey).digest();
  }
}
