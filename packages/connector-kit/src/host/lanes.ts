// Which lanes of a connection are worth a claim: an index in memory over the table, never the truth.
import type { BegunAttempt, FoundLanes } from "@thikaa/sending";
import type { ClaimCause } from "./measures.ts";

/** Rung recipients remembered at once; what goes beyond is looked for in the table. */
const remembered = 1_000;

export class Lanes {
  /** Lanes to be tried, with what speaks for them: told by a ring or by a lane that became free, oldest first. */
  readonly #told = new Map<string, ClaimCause>();
  /** Lanes to be tried that were found in the table. */
  readonly #found = new Set<string>();
  /** Lanes in which a message is being sent, and which one. */
  readonly #busy = new Map<string, string>();
  /** Busy lanes in which more waits. */
  readonly #behind = new Set<string>();
  /** Up to where the connection's lanes were looked through; after the last one it begins anew. */
  #after = "";
  #walking = true;
  #forgotten = false;

  /** Where to go on looking through the table; `null` while there is no need. */
  get walkFrom(): string | null {
    return this.#walking && this.#found.size === 0 ? this.#after : null;
  }

  /** Where the look each second goes on; `null` while lanes are being looked through anyway. */
  get sweepFrom(): string | null {
    return this.#walking ? null : this.#after;
  }

  /** The messages that are being sent. */
  get messages(): string[] {
    return [...this.#busy.values()];
  }

  /** Something is due in a lane. Says whether it is worth a claim now. */
  tell(address: string, cause: ClaimCause): boolean {
    if (this.#busy.has(address)) {
      this.#behind.add(address);
      return false;
    }
    if (this.#told.size < remembered) this.#told.set(address, this.#told.get(address) ?? cause);
    else this.#forgotten = this.#walking = true;
    return true;
  }

  /** What a look through the table found; `undefined` when there was no lane any more. */
  saw(lanes: FoundLanes = { addresses: [], after: null }): void {
    for (const address of lanes.addresses) this.#found.add(address);
    const isLast = lanes.after === null;
    this.#after = lanes.after ?? "";
    this.#walking = isLast ? this.#forgotten : this.#walking || lanes.addresses.length > 0;
    if (isLast) this.#forgotten = false;
  }

  /** What is remembered may be wrong: every lane is looked at again. */
  doubt(): void {
    this.#after = "";
    this.#walking = true;
  }

  /** Takes lanes to be tried, at most so many; what was told and what was found by turns, so that neither waits for the other. */
  take(limit: number): Map<string, ClaimCause> {
    const taken = new Map<string, ClaimCause>();
    while (taken.size < limit && this.#told.size + this.#found.size > 0) {
      const [told] = this.#told;
      if (told !== undefined) this.#takeOne(told[0], told[1], taken);
      const [found] = this.#found;
      if (found !== undefined && taken.size < limit) this.#takeOne(found, "sweep", taken);
    }
    return taken;
  }

  #takeOne(address: string, cause: ClaimCause, taken: Map<string, ClaimCause>): void {
    this.#told.delete(address);
    this.#found.delete(address);
    if (this.#busy.has(address)) this.#behind.add(address);
    else taken.set(address, cause);
  }

  began({ to, messageId, more }: BegunAttempt): void {
    this.#busy.set(to, messageId);
    if (more) this.#behind.add(to);
  }

  ended({ to }: BegunAttempt): void {
    this.#busy.delete(to);
    if (this.#behind.delete(to)) this.tell(to, "lane");
  }
}
