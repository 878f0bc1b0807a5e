// When a delivery is tried again: a fixed schedule with jitter, or later when the receiver asks for it.

/** Seconds before each attempt; the first is at once. About three days in all. */
export const scheduleSeconds = [
  0, 5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
] as const;

const longestWaitMs = 86_400_000;

/** Milliseconds until the attempt after attempt number `attempt`, ± 20 %; `null` when that was the last. `random` is in [0, 1). */
export function retryWaitMs(
  attempt: number,
  retryAfterMs: number | null = null,
  random: number = Math.random(),
): number | null {
  const seconds = scheduleSeconds[attempt];
  if (seconds === undefined) return null;
  const scheduled = seconds * 1_000 * (0.8 + 0.4 * random);
  return Math.max(scheduled, Math.min(retryAfterMs ?? 0, longestWaitMs));
}

/** The wait that a `Retry-After` header asks for (seconds or a date), in milliseconds; `null` when it says nothing readable. */
export function parseRetryAfter(
  header: string | string[] | undefined,
  now: number = Date.now(),
): number | null {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const moment = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(moment) ? null : Math.max(0, moment - now);
}
