// What a scene reports: lines, as ratios to the floor of the same run.

export interface Line {
  readonly what: string;
  readonly value: string;
  /** In the unit of `value`; `null` where nothing is compared. */
  readonly ratio: number | null;
  readonly floor: string;
  readonly target: string;
}

/** The middle one of several rounds. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`;
export const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
export const megabytes = (value: number): string => `${Math.round(value)} MB`;
