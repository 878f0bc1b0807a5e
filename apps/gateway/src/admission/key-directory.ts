// The key directory: finds who holds a key, remembering it for a few seconds; a revoked key is forgotten at once by its ring.
import type { Bus } from "@thikaa/bus";
import { findKeyHolder } from "@thikaa/db";
import type { Database, KeyHolder } from "@thikaa/db";
import type { Vault } from "@thikaa/vault";
import { looksLikeApiKey } from "@thikaa/vault";
import { ShortMemory } from "./short-memory.ts";

/** Keys are revoked everywhere within 5 s, also when the ring is lost. */
const rememberMs = 4_000;
const mostRemembered = 50_000;

export class KeyDirectory {
  readonly #holders: ShortMemory<KeyHolder | null>;

  constructor(parts: { database: Database; bus: Bus; vault: Vault }) {
    const { database, bus, vault } = parts;
    this.#holders = new ShortMemory({
      // A wrong checksum needs no look-up.
      read: (apiKey) =>
        looksLikeApiKey(apiKey)
          ? findKeyHolder(database, vault.hashApiKey(apiKey))
          : Promise.resolve(null),
      forMs: rememberMs,
      most: mostRemembered,
      worth: (holder) => holder !== null,
    });
    bus.listen({ ring: "key", to: ["*"] }, ({ instance_id }) =>
      this.#holders.forgetWhere((holder) => holder?.instanceId === instance_id),
    );
  }

  /** Who holds the key; `null` when nobody does. */
  find(apiKey: string): KeyHolder | null | Promise<KeyHolder | null> {
    return this.#holders.find(apiKey);
  }

  /** Who holds the key by the table itself: asked before a refusal, which must not rest on memory. */
  findAnew(apiKey: string): Promise<KeyHolder | null> {
    return this.#holders.findAnew(apiKey);
  }
}
