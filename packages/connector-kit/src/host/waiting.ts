// Waiting that ends early when it is no longer wanted.

/** A timer can't count further, and would end at once. */
const longestMs = 2 ** 31 - 1;

/** Resolves after the time, of which 24 days are slept at most, or as soon as the signal aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(end, Math.min(milliseconds, longestMs));
    signal?.addEventListener("abort", end, { once: true });
    function end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves when the work ends or the time is over, whichever is first. Says whether the work ended. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const ended = await Promise.race([
    work.then(() => true),
    sleep(milliseconds, timer.signal).then(() => false),
  ]);
  timer.abort();
  return ended;
}
