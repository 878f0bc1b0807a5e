// Waiting that ends early when it is no longer wanted.
import { setTimeout as pause } from "node:timers/promises";

/** A timer can't count further, and would end at once. */
const longestMs = 2 ** 31 - 1;

/**
 * Resolves after the time, of which 24 days are slept at most, or as soon as the signal aborts. Leaves nothing behind: the
 * signal may live for months.
 */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(Math.min(milliseconds, longestMs), undefined, { signal }).catch(() => undefined);
}

/** Resolves when the work ends or the time is over, whichever is first. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
