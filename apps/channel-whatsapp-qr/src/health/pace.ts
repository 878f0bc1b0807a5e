// The pace of a connection: between two messages lies a pause of a random length.

export interface PaceOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** A message's turn: wait so long and send, or come back then. */
export type Turn = { readonly waitMs: number } | { readonly backInMs: number };

/** Longer waits are not held open: a process that ends in the middle should have little in its hands. */
const longestWaitMs = 2_000;

export class Pace {
  readonly #options: Required<PaceOptions>;
  /** When the next message may go. */
  #next = Number.NEGATIVE_INFINITY;
  /** The last time that was named to somebody who is to come back. */
  #promised = Number.NEGATIVE_INFINITY;

  constructor({ now = () => performance.now(), random = Math.random, ...pause }: PaceOptions) {
    this.#options = { now, random, ...pause };
  }

  /** Takes the next turn, or names a time at which one may be free. */
  take(): Turn {
    const now = this.#options.now();
    const at = Math.max(now, this.#next);
    if (at - now <= longestWaitMs) {
      this.#next = at + this.#pause();
      return { waitMs: at - now };
    }
    // Each is named a time of its own: all at once they would only meet again.
    this.#promised = Math.max(this.#promised, at) + this.#pause();
    return { backInMs: this.#promised - now };
  }

  #pause(): number {
    const { minMs, maxMs, random } = this.#options;
    return minMs + random() * (Math.max(maxMs, minMs) - minMs);
  }
}
