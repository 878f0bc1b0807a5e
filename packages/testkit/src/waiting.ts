// Waiting in tests: for a condition, with a deadline and words, or for a promise settled by hand.
import { setTimeout as pause } from "node:timers/promises";

const INTERVAL_MS = 5;
const DEFAULT_DEADLINE_MS = 10_000;
const LATE: unique symbol = Symbol("late");

/** How long to wait, and for what. */
export interface WaitOptions {
  /** Ends the sentence "Waited … for". */
  what: string;
  /** Default 10 s. */
  deadlineMs?: number | undefined;
}

/** What `waitFor` takes as "not yet". */
export type NotYet = undefined | null | false;

/**
 * Asks again and again until the condition gives a value that is not undefined, null or false, and returns it.
 * Throws when the deadline passes first; an error thrown by the condition counts as "not yet" and is kept as the cause.
 */
export async function waitFor<T>(
  condition: () => T | NotYet | Promise<T | NotYet>,
  options: WaitOptions,
): Promise<T> {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const stop = new AbortController();
  // A condition that never answers must not outlast the deadline.
  const deadline = pause(deadlineMs, undefined, { signal: stop.signal }).then(whenLate, whenLate);
  let cause: unknown;
  try {
    for (;;) {
      const value = await Promise.race([ask(condition), deadline]);
      if (value === LATE) break;
      if ("value" in value) return value.value;
      cause = value.error;
      if ((await Promise.race([pause(INTERVAL_MS), deadline])) === LATE) break;
    }
  } finally {
    stop.abort();
  }
  const reason = cause instanceof Error ? ` (last error: ${cause.message})` : "";
  throw new Error(`Waited ${deadlineMs} ms for ${options.what}, in vain${reason}.`, { cause });
}

function whenLate(): typeof LATE {
  return LATE;
}

async function ask<T>(
  condition: () => T | NotYet | Promise<T | NotYet>,
): Promise<{ value: T } | { error: unknown }> {
  try {
    const value = await condition();
    return value === undefined || value === null || value === false
      ? { error: undefined }
      : { value };
  } catch (error) {
    return { error };
  }
}

/** A promise and the two functions that settle it. */
export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(reason: unknown): void;
}

/** A promise that the test settles itself. */
export function deferred<T = void>(): Deferred<T> {
  return Promise.withResolvers<T>();
}
