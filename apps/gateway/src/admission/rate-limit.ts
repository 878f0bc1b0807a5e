// The rate limit: a fixed window a key, exact over all gateways; checks are gathered into one statement, a spent key is refused without one.
import { countRequests } from "@thikaa/db";
import type { Database } from "@thikaa/db";
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

const windowSeconds = limits.rateWindowSeconds;

export class RateLimit {
  readonly #batcher: Batcher<Check, RateState>;
  /** Keys whose window is spent, until the time by the monotonic clock. */
  readonly #spent = new Map<string, number>();

  constructor(database: Database) {
    this.#batcher = new Batcher(
      async (checks) => {
        const groups = Map.groupBy(checks, (check) => check.instanceId);
        const windows = await countRequests(
          database,
          [...groups].map(([instanceId, group]) => ({ instanceId, count: group.length })),
          windowSeconds,
        );
        const usedBefore = new Map(
          windows.map((window) => [
            window.instanceId,
            {
              used: window.used - (groups.get(window.instanceId)?.length ?? 0),
              remainingMs: window.remainingMs,
            },
          ]),
        );
        return checks.map((check) => this.#take(check, usedBefore));
      },
      { limit: 1_024 },
    );
  }

  /** Counts one request of a key. Throws when PostgreSQL is away. */
  async check(instanceId: string, limit: number): Promise<RateState> {
    const spentUntil = this.#spent.get(instanceId);
    if (spentUntil !== undefined) {
      const left = spentUntil - performance.now();
      if (left > 0) return toState({ limit, used: limit + 1, remainingMs: left });
      this.#spent.delete(instanceId);
    }
    return this.#batcher.add({ instanceId, limit });
  }

  /** Forgets that a key was spent: its limit may have been raised. */
  forget(instanceId: string): void {
    this.#spent.delete(instanceId);
  }

  #take(check: Check, windows: Map<string, { used: number; remainingMs: number }>): RateState {
    const window = windows.get(check.instanceId);
    if (window === undefined) throw new Error("The rate window was not counted.");
    window.used += 1;
    if (window.used >= check.limit)
      this.#spent.set(check.instanceId, performance.now() + window.remainingMs);
    return toState({ limit: check.limit, used: window.used, remainingMs: window.remainingMs });
  }
}

function toState(window: { limit: number; used: number; remainingMs: number }): RateState {
  return {
    limit: window.limit,
    remaining: Math.max(0, window.limit - window.used),
    resetSeconds: Math.ceil(window.remainingMs / 1000),
    resetAt: Math.ceil((Date.now() + window.remainingMs) / 1000),
    windowSeconds,
    allowed: window.used <= window.limit,
  };
}
