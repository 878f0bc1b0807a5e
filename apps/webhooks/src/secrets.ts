// The signing keys of endpoints, opened once and kept in memory as key objects.
import type { ClaimedDelivery } from "@thikaa/db";
import { places } from "@thikaa/vault";
import type { Vault } from "@thikaa/vault";
import { signingKeys } from "./signing.ts";
import type { SigningKeys } from "./signing.ts";

const mostKept = 10_000;

/** Opens sealed secrets. What is kept is keyed by the sealed text, so a changed secret is never answered from memory. */
export class Secrets {
  readonly #vault: Vault;
  readonly #kept = new Map<string, SigningKeys>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** The keys to sign a delivery with. Throws when the vault can't open them. */
  keysFor(
    delivery: Pick<ClaimedDelivery, "endpointId" | "secretSealed" | "previousSecretSealed">,
  ): { current: SigningKeys; previous: SigningKeys | null } {
    const { endpointId, secretSealed, previousSecretSealed } = delivery;
    return {
      current: this.#open(secretSealed, endpointId),
      previous: previousSecretSealed === null ? null : this.#open(previousSecretSealed, endpointId),
    };
  }

  #open(sealed: string, endpointId: string): SigningKeys {
    const kept = this.#kept.get(sealed);
    if (kept !== undefined) return kept;
    const keys = signingKeys(this.#vault.open(sealed, places.endpointSecret(endpointId)));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(sealed, keys);
    return keys;
  }
}
