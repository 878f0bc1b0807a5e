// What our own account wrote, as the provider tells it: known again as ours, waited for, or taken for a message of the store's own people.
import type { Queryable } from "@thikaa/db";
import type { ItemOf } from "./items.ts";

type OwnItem = ItemOf<"own">;

export interface JudgedOwn {
  /** Sent through us, or told before: nothing new. */
  readonly echoes: readonly OwnItem[];
  /** Perhaps sent through us: a send to this person has not ended yet. */
  readonly open: readonly OwnItem[];
  /** Written on a phone or in the provider's app. */
  readonly device: readonly OwnItem[];
}

/** A part that has the provider's id tells that it is ours. While a send to the same person is under way, its part may have none yet. */
export async function judgeOwn(
  transaction: Queryable,
  items: readonly OwnItem[],
): Promise<JudgedOwn> {
  if (items.length === 0) return { echoes: [], open: [], device: [] };
  const { rows } = await transaction.query<{ is_known: boolean; is_sending: boolean }>({
    name: "own-messages-judge",
    text: `SELECT
             EXISTS (SELECT 1 FROM parts p WHERE p.connection_id = given.connection_id AND p.provider_message_id = given.provider_id AND p.address = given.address)
               OR EXISTS (SELECT 1 FROM messages m WHERE m.connection_id = given.connection_id AND m.provider_message_id = given.provider_id AND m.address = given.address AND m.origin = 'device') AS is_known,
             EXISTS (SELECT 1 FROM send_queue q WHERE q.connection_id = given.connection_id AND q.address = given.address AND (q.worker IS NOT NULL OR q.uncertain)) AS is_sending
           FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS given (connection_id, provider_id, address, place) ORDER BY place`,
    values: [
      items.map(({ row }) => row.connection_id),
      items.map(({ item }) => item.provider_message_id),
      items.map(({ item }) => item.to),
    ],
  });
  const seen = new Set<string>();
  const judged = Map.groupBy(items, ({ row, item }) => {
    const name = `${row.connection_id} ${item.to} ${item.provider_message_id}`;
    const found = rows[items.findIndex((each) => each.row === row)];
    if (found?.is_known === true || seen.has(name)) return "echo";
    if (found?.is_sending === true && !row.waited) return "open";
    seen.add(name);
    return "device";
  });
  return {
    echoes: judged.get("echo") ?? [],
    open: judged.get("open") ?? [],
    device: judged.get("device") ?? [],
  };
}
