// Waiting for a condition outside this process, with a deadline.
import { setTimeout as pause } from "node:timers/promises";

const INTERVAL_MS = 20;

/** Asks until `condition` gives a value other than undefined, and returns it; undefined when `deadlineMs` passed first. */
export async function poll<T>(
  deadlineMs: number,
  condition: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    if (performance.now() >= end) return undefined;
    await pause(INTERVAL_MS);
  }
}
