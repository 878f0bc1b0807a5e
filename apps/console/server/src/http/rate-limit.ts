// How often something may be done in a while, counted in this process.

/** Counts by name in windows of fixed length, all names in the same ones: what is kept never outlives its window. */
export class RateLimit {
  readonly #most: number;
  readonly #windowMs: number;
  #counts = new Map<string, number>();
  #endsAt = 0;

  constructor(most: number, windowMs = 60_000) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Counts one more. Gives the seconds until the next window when it is one too many, else `null`. */
  take(name: string, now: number = performance.now()): number | null {
    if (now >= this.#endsAt) {
      this.#counts = new Map();
      this.#endsAt = now + this.#windowMs;
    }
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count > this.#most ? Math.ceil((this.#endsAt - now) / 1_000) : null;
  }
}
