// What was seen before and how often, forgetting what is oldest.

/** Names kept; the oldest go first. */
const MOST_NAMES = 100_000;

/** A set that forgets its oldest names. */
export class Seen {
  readonly #names = new Set<string>();

  /** Whether the name is new. */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    if (this.#names.size > MOST_NAMES) {
      for (const oldest of this.#names) {
        this.#names.delete(oldest);
        break;
      }
    }
    return true;
  }
}

/** Counts by name, forgetting the oldest names. */
export class Counts {
  readonly #counts = new Map<string, number>();

  /** One more; gives how many that makes. */
  count(name: string): number {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    if (this.#counts.size > MOST_NAMES) {
      for (const oldest of this.#counts.keys()) {
        this.#counts.delete(oldest);
        break;
      }
    }
    return count;
  }
}
