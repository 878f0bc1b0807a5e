// Money: integer millionths of a credit in tables, a number of credits on the wire.

export const microPerCredit = 1_000_000;

/** What a message costs when its channel has no price of its own. */
export const defaultPriceMicro = microPerCredit;

/** Credits as they stand on the wire. Exact up to nine billion credits. */
export function toCredits(micro: bigint | number): number {
  return Number(micro) / microPerCredit;
}

/** Millionths from a number of credits; refuses fractions finer than a millionth by rounding to the nearest. */
export function toMicro(credits: number): bigint {
  return BigInt(Math.round(credits * microPerCredit));
}
