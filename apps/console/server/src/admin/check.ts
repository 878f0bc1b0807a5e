// One thing that the doctor looked at, and what to do about it.

/** One thing that was looked at. `next` says what to do; `null` when nothing is wrong. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly next: string | null;
}

/** A check over a list of what is wrong. */
export function finding(given: {
  name: string;
  wrong: readonly string[];
  fine: string;
  next: string;
}): Check {
  const { name, wrong, fine, next } = given;
  return wrong.length === 0
    ? { name, ok: true, detail: fine, next: null }
    : { name, ok: false, detail: wrong.join("; "), next };
}
