// The breaker: after a refusal that means "too much", nothing of the kind is tried for a while, and longer after each further one.

export interface BreakerOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  /** A clock in milliseconds; the same one that `tripped` was told by. */
  readonly now?: () => number;
  /** How an earlier one stood. */
  readonly tripped?: Tripped;
}

/** How a breaker stands. */
export interface Tripped {
  /** When it closes again. */
  readonly until: number;
  /** Refusals since something of the kind was taken. */
  readonly trips: number;
}

export const neverTripped: Tripped = { until: 0, trips: 0 };

export class Breaker {
  readonly #options: Pick<Required<BreakerOptions>, "firstMs" | "lastMs" | "now">;
  #tripped: Tripped;

  constructor({ now = () => performance.now(), tripped = neverTripped, ...pause }: BreakerOptions) {
    this.#options = { now, ...pause };
    this.#tripped = tripped;
  }

  get tripped(): Tripped {
    return this.#tripped;
  }

  /** Milliseconds until it closes again; 0 when it is closed. */
  get openMs(): number {
    const { now, lastMs } = this.#options;
    // A clock that was set back must not keep it open for longer than it ever is.
    return Math.min(Math.max(0, this.#tripped.until - now()), lastMs);
  }

  /** A refusal: opens, or stays open longer. Gives for how many milliseconds. */
  trip(): number {
    const { firstMs, lastMs, now } = this.#options;
    // Refusals of what was under way already are one and the same.
    if (this.openMs > 0) return this.openMs;
    const { trips } = this.#tripped;
    const forMs = Math.min(firstMs * 2 ** trips, lastMs);
    this.#tripped = { until: now() + forMs, trips: trips + 1 };
    return forMs;
  }

  /** Something of the kind was taken: the next refusal is a first one again. Says whether that changed anything. */
  passed(): boolean {
    if (this.openMs > 0 || this.#tripped.trips === 0) return false;
    this.#tripped = neverTripped;
    return true;
  }
}
