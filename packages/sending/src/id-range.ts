// Ranges of ids: tables are partitioned by the time in them, and a statement that names a range touches its months alone.

/** A message may wait 30 days for its time and 7 more for its deadline; the rest is for clocks that differ. */
export const longestLifeDays = 40;

/** The least and the greatest of some ids. */
export function idRange(ids: readonly string[]): [least: string, greatest: string] {
  const sorted = ids.toSorted();
  return [sorted[0] ?? nil, sorted.at(-1) ?? nil];
}

/** From the first id that could have been made so many days ago to the last one that could have been made by now. */
export function recentIds(days: number): [least: string, greatest: string] {
  const now = Date.now();
  return [idAt(now - days * dayMs), idAt(now + dayMs)];
}

const nil = "00000000-0000-0000-0000-000000000000";
const dayMs = 86_400_000;

function idAt(milliseconds: number): string {
  const time = Math.max(0, milliseconds).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}${nil.slice(13)}`;
}
