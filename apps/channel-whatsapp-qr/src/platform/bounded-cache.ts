// A cache that Baileys takes: what is in it ends after a while, and the oldest goes when it is full.

export interface BoundedCacheOptions {
  readonly lifetimeMs: number;
  readonly most: number;
}

interface Entry {
  readonly value: unknown;
  readonly until: number;
}

/** Baileys' own have no bound, and take room and a timer even while they are empty: a process has hundreds of them. */
export class BoundedCache {
  readonly #options: BoundedCacheOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: BoundedCacheOptions) {
    this.#options = options;
  }

  get<T>(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.until < performance.now()) return undefined;
    // Baileys reads what it wrote.
    return entry.value as T;
  }

  set<T>(name: string, value: T): void {
    const { lifetimeMs, most } = this.#options;
    this.#entries.delete(name);
    this.#entries.set(name, { value, until: performance.now() + lifetimeMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > most && oldest !== undefined) this.#entries.delete(oldest);
  }

  del(name: string): void {
    this.#entries.delete(name);
  }

  flushAll(): void {
    this.#entries.clear();
  }
}
