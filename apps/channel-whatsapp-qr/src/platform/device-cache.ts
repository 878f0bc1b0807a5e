// Which devices people have, as WhatsApp told: kept across sockets, since asking again makes Baileys begin every session anew.

interface Entry {
  readonly value: unknown;
  readonly until: number;
}

/** WhatsApp tells of every change; this is for a change that was missed. */
const lifetimeMs = 24 * 3_600_000;
const mostPeople = 5_000;

/** The cache that Baileys takes as `userDevicesCache`. */
export class DeviceCache {
  readonly #entries = new Map<string, Entry>();

  get<T>(user: string): T | undefined {
    const entry = this.#entries.get(user);
    if (entry === undefined || entry.until < performance.now()) return undefined;
    // Baileys reads what it wrote.
    return entry.value as T;
  }

  set<T>(user: string, value: T): void {
    this.#entries.delete(user);
    this.#entries.set(user, { value, until: performance.now() + lifetimeMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostPeople && oldest !== undefined) this.#entries.delete(oldest);
  }

  del(user: string): void {
    this.#entries.delete(user);
  }

  flushAll(): void {
    this.#entries.clear();
  }
}
