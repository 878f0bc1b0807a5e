// The rate limit: a fixed window a key over all gateways. Each request takes a place in it; a busy key's next places are taken in advance.
import { countRequests } from "@thikaa/db";
import type { Database, RateWindow } from "@thikaa/db";
import { limits } from "@thikaa/schema";
import { Batcher } from "@thikaa/sending";

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetSeconds: number;
  /** When it ends, in seconds since 1970. */
  readonly resetAt: number;
  readonly windowSeconds: number;
  /** Whether this request is within the limit. */
  readonly allowed: boolean;
}

interface Check {
  readonly instanceId: string;
  readonly limit: number;
}

/** Places of a key's window that this gateway took: no other request has them. */
interface Places {
  /** The first one that no request was given yet. */
  next: number;
  readonly last: number;
  /** By the monotonic clock, as is the next one. */
  readonly windowEndsAt: number;
  readonly takenAt: number;
  /** How many were taken at once. */
  readonly taken: number;
}

/**
 * At most this share of what is left of a window is taken in advance: what a gateway does not use is lost to the others, so a
 * limit is never exceeded, and met early by no more than a hundredth a gateway. A limit below a hundred is exact.
 */
const advanceShare = 0.01;
/** How much is taken in advance, by what the key used lately: places for so many milliseconds. */
const advanceMs = 1_000;
const mostRemembered = 50_000;

export class RateLimit {
  readonly #database: Database;
  readonly #windowSeconds: number;
  readonly #batcher: Batcher<Check, RateState>;
  readonly #places = new Map<string, Places>();
  /** Keys whose window is spent, until the time by the monotonic clock. */
  readonly #spent = new Map<string, number>();

  constructor(database: Database, windowSeconds: number = limits.rateWindowSeconds) {
    this.#database = database;
    this.#windowSeconds = windowSeconds;
    this.#batcher = new Batcher((checks) => this.#takeAll(checks), { limit: 1_024 });
  }

  /** Counts one request of a key. Throws when PostgreSQL is away and no place was taken in advance. */
  check(instanceId: string, limit: number): RateState | Promise<RateState> {
    const spentUntil = this.#spent.get(instanceId);
    if (spentUntil !== undefined) {
      const left = spentUntil - performance.now();
      if (left > 0) return this.#toState({ limit, place: limit + 1, remainingMs: left });
      this.#spent.delete(instanceId);
    }
    return this.#fromAdvance({ instanceId, limit }) ?? this.#batcher.add({ instanceId, limit });
  }

  /** Forgets that a key was spent: its limit may have been raised. */
  forget(instanceId: string): void {
    this.#spent.delete(instanceId);
  }

  #fromAdvance(check: Check): RateState | null {
    const places = this.#places.get(check.instanceId);
    if (places === undefined || places.next > places.last) return null;
    return places.windowEndsAt <= performance.now() ? null : this.#give(check);
  }

  /** What was taken in advance meanwhile goes first; for the others one statement. */
  async #takeAll(checks: readonly Check[]): Promise<RateState[]> {
    const states = checks.map((check) => this.#fromAdvance(check));
    const asking = checks.filter((_, index) => states[index] === null);
    if (asking.length > 0) await this.#ask(asking);
    return checks.map((check, index) => states[index] ?? this.#give(check));
  }

  async #ask(checks: readonly Check[]): Promise<void> {
    const groups = Map.groupBy(checks, (check) => check.instanceId);
    const counts = [...groups].map(([instanceId, group]) => ({
      instanceId,
      count: group.length + this.#advanceOf(instanceId, group[0]?.limit ?? 0),
    }));
    const windows = await countRequests(this.#database, counts, this.#windowSeconds);
    const taken = new Map(counts.map(({ instanceId, count }) => [instanceId, count]));
    if (this.#places.size >= mostRemembered) this.#places.clear();
    for (const window of windows)
      this.#places.set(window.instanceId, toPlaces(window, taken.get(window.instanceId) ?? 0));
  }

  /** How many places to take beyond those asked for now. */
  #advanceOf(instanceId: string, limit: number): number {
    const before = this.#places.get(instanceId);
    const now = performance.now();
    if (before === undefined || before.windowEndsAt <= now) return 0;
    const used = (before.taken / Math.max(1, now - before.takenAt)) * advanceMs;
    return Math.max(0, Math.floor(Math.min(used, (limit - before.last) * advanceShare)));
  }

  #give({ instanceId, limit }: Check): RateState {
    const places = this.#places.get(instanceId);
    if (places === undefined) throw new Error("The rate window was not counted.");
    const place = places.next++;
    const remainingMs = places.windowEndsAt - performance.now();
    if (place >= limit) this.#spent.set(instanceId, places.windowEndsAt);
    return this.#toState({ limit, place, remainingMs });
  }

  #toState(given: { limit: number; place: number; remainingMs: number }): RateState {
    const { limit, place, remainingMs } = given;
    return {
      limit,
      remaining: Math.max(0, limit - place),
      resetSeconds: Math.ceil(remainingMs / 1000),
      resetAt: Math.ceil((Date.now() + remainingMs) / 1000),
      windowSeconds: this.#windowSeconds,
      allowed: place <= limit,
    };
  }
}

function toPlaces({ used, remainingMs }: RateWindow, taken: number): Places {
  const now = performance.now();
  return {
    next: used - taken + 1,
    last: used,
    windowEndsAt: now + remainingMs,
    takenAt: now,
    taken,
  };
}
