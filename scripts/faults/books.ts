// The books after a scene: balance, ledger and what was charged agree, and every event has one number and was told.
import type { Played } from "./house.ts";
import { toldTo } from "./told.ts";

export interface Books {
  /** Credits. */
  readonly balance: number;
  readonly ledger: number;
  readonly openingMinusCharged: number;
  /** Event numbers that are missing, come twice or were told to nobody. */
  readonly sequenceFaults: string[];
}

interface Seen {
  /** Credits charged by all scenes of a house so far; they share its balance. */
  charged: number;
  /** The number of the last event that was judged. */
  sequence: number;
}

const seen = new WeakMap<Played, Seen>();

/** Judges the books; `charged` is what the messages of this scene cost, refunds taken off. */
export async function booksOf(house: Played, charged: number): Promise<Books> {
  const before = seen.get(house) ?? { charged: 0, sequence: 0 };
  const { stores } = await house.admin.request<{ stores: { slug: string; balance: number }[] }>(
    "GET",
    "/stores",
  );
  const { rows } = await house.database.query<{ micro: string; numbers: number[] }>({
    text: `SELECT (SELECT sum(amount_micro) FROM ledger WHERE store_id = s.id)::text AS micro,
                  (SELECT coalesce(array_agg(sequence::int ORDER BY sequence), '{}') FROM events WHERE store_id = s.id AND sequence > $2) AS numbers
           FROM stores s WHERE slug = $1`,
    values: [house.slug, before.sequence],
  });
  const numbers = rows[0]?.numbers ?? [];
  const after = {
    charged: before.charged + charged,
    sequence: numbers.at(-1) ?? before.sequence,
  };
  seen.set(house, after);
  return {
    balance: stores.find(({ slug }) => slug === house.slug)?.balance ?? Number.NaN,
    ledger: Number(rows[0]?.micro) / 1_000_000,
    openingMinusCharged: Math.round((house.openingCredits - after.charged) * 1_000_000) / 1_000_000,
    sequenceFaults: sequenceFaults(numbers, before.sequence, toldTo(house).numbers),
  };
}

/** Numbers that leave a gap or come again, and events that no webhook told of. */
function sequenceFaults(
  numbers: readonly number[],
  last: number,
  toldOf: ReadonlySet<number>,
): string[] {
  return numbers.flatMap((number, index) => [
    ...(number === last + index + 1
      ? []
      : [`event number ${number} stands at place ${last + index + 1}`]),
    ...(toldOf.has(number) ? [] : [`no webhook told of event number ${number}`]),
  ]);
}
