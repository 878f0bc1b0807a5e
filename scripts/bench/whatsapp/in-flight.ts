// So much work, so much of it at the same time.

/** Does the work so many times, with a number each, counted from 0; at most `most` at once. Rejects as soon as one does. */
export async function inFlight(
  count: number,
  most: number,
  work: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const drive = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(most, count) }, drive));
}
