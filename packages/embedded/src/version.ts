// The oldest nats-server that is safe to use.
/** Servers before this one can lose messages or lack what the clients use. */
export const OLDEST_NATS = "2.10.23";

/** Whether a version such as "2.10.27" or "v2.15.1-beta" is at least `OLDEST_NATS`. */
export function isNewEnough(version: string): boolean {
  const numbers = numbersOf(version);
  const floor = numbersOf(OLDEST_NATS);
  for (const [index, least] of floor.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== least) return number > least;
  }
  return true;
}

/** Throws, naming both numbers, when a NATS server is too old. */
export function assertNatsVersion(version: string): void {
  if (isNewEnough(version)) return;
  throw new Error(
    `nats-server ${version} is too old: at least ${OLDEST_NATS} is needed. Put a newer nats-server on the PATH, or give a running one in NATS_URL.`,
  );
}

function numbersOf(version: string): number[] {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(version);
  return found === null ? [] : found.slice(1).map(Number);
}
