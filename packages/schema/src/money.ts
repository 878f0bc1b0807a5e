// Money: integer millionths of a credit in tables, a number of credits on the wire.

export const microPerCredit = 1_000_000;

/** What a message costs when its channel has no price of its own. */
export const defaultPriceMicro = microPerCredit;

/** Credits as they stand on the wire. Exact up to nine billion credits. */
export function toCredits(micro: number): number {
  return micro / microPerCredit;
}

/** Millionths from a number of credits; what is finer than a millionth is rounded to the nearest. */
export function toMicro(credits: number): number {
  return Math.round(credits * microPerCredit);
}
