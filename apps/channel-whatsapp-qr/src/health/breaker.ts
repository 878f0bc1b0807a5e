// The breaker: after a refusal that means "too much", nothing of the kind is tried for a while, and longer after each further one.

export interface BreakerOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number;
}

export class Breaker {
  readonly #options: Required<BreakerOptions>;
  #until = Number.NEGATIVE_INFINITY;
  #trips = 0;

  constructor({ now = () => performance.now(), ...pause }: BreakerOptions) {
    this.#options = { now, ...pause };
  }

  /** Milliseconds until it closes again; 0 when it is closed. */
  get openMs(): number {
    return Math.max(0, this.#until - this.#options.now());
  }

  /** A refusal: opens, or stays open longer. Gives for how many milliseconds. */
  trip(): number {
    const { firstMs, lastMs, now } = this.#options;
    // Refusals of what was under way already are one and the same.
    if (this.openMs > 0) return this.openMs;
    const forMs = Math.min(firstMs * 2 ** this.#trips++, lastMs);
    this.#until = now() + forMs;
    return forMs;
  }

  /** Something of the kind was taken: the next refusal is a first one again. */
  passed(): void {
    if (this.openMs === 0) this.#trips = 0;
  }
}
