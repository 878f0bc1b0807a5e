// The key directory: finds who holds a key, remembering it for a few seconds; a revoked key is forgotten at once by its ring.
import type { Bus } from "@thikaa/bus";
import { findKeyHolder } from "@thikaa/db";
import type { Database, KeyHolder } from "@thikaa/db";
import type { Vault } from "@thikaa/vault";
import { looksLikeApiKey } from "@thikaa/vault";

/** Keys are revoked everywhere within 5 s, also when the ring is lost. */
const rememberMs = 4_000;
const mostRemembered = 50_000;

interface Remembered {
  readonly holder: KeyHolder;
  readonly until: number;
}

export class KeyDirectory {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #byKey = new Map<string, Remembered>();
  readonly #asked = new Map<string, Promise<KeyHolder | null>>();

  constructor(parts: { database: Database; bus: Bus; vault: Vault }) {
    this.#database = parts.database;
    this.#vault = parts.vault;
    parts.bus.listen({ ring: "key", to: ["*"] }, ({ instance_id }) => this.#forget(instance_id));
  }

  /** Who holds the key; `null` when nobody does. A wrong checksum is refused without a look-up. */
  async find(apiKey: string): Promise<KeyHolder | null> {
    if (!looksLikeApiKey(apiKey)) return null;
    const remembered = this.#byKey.get(apiKey);
    if (remembered !== undefined && remembered.until > performance.now()) return remembered.holder;
    return this.#ask(apiKey);
  }

  /** Who holds the key by the table itself: asked before a refusal, which must not rest on memory. */
  async findAnew(apiKey: string): Promise<KeyHolder | null> {
    this.#byKey.delete(apiKey);
    return looksLikeApiKey(apiKey) ? this.#ask(apiKey) : null;
  }

  #ask(apiKey: string): Promise<KeyHolder | null> {
    const asked = this.#asked.get(apiKey);
    if (asked !== undefined) return asked;
    const asking = this.#read(apiKey).finally(() => this.#asked.delete(apiKey));
    this.#asked.set(apiKey, asking);
    return asking;
  }

  async #read(apiKey: string): Promise<KeyHolder | null> {
    const holder = await findKeyHolder(this.#database, this.#vault.hashApiKey(apiKey));
    if (holder === null) return null;
    if (this.#byKey.size >= mostRemembered) this.#byKey.clear();
    this.#byKey.set(apiKey, { holder, until: performance.now() + rememberMs });
    return holder;
  }

  #forget(instanceId: string): void {
    for (const [key, { holder }] of this.#byKey)
      if (holder.instanceId === instanceId) this.#byKey.delete(key);
  }
}
