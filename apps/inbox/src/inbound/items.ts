// Inbound items on their way through the inbox: which are due, what each tells, and what is done with those that make no message.
import { inboundItem, newId } from "@thikaa/schema";
import type { ChannelCode, InboundItem } from "@thikaa/schema";
import type { Queryable } from "@thikaa/db";

/** Shards with the epochs under which this worker holds them. */
export interface HeldShards {
  readonly worker: string;
  readonly shards: readonly { readonly shard: number; readonly epoch: number }[];
}

/** An item with its place. */
export interface ItemRow {
  readonly id: number;
  readonly store_id: string;
  readonly connection_id: string;
  readonly channel: ChannelCode;
  readonly connection_address: string | null;
  readonly thread: string;
  readonly converted: unknown;
  readonly received_at: Date;
  /** Whether what it tells of has not been found for so long that it is not waited for any more. */
  readonly waited: boolean;
}

/** Items of one kind. */
export interface ItemOf<Kind extends InboundItem["kind"]> {
  readonly row: ItemRow;
  readonly item: Extract<InboundItem, { kind: Kind }>;
}

/** Seconds that an item waits for the end of the send that it tells of. */
const parkSeconds = 60;
/** Seconds between two looks at most: a send that a take-over made anew may have ended since the last one. */
const longestLookSeconds = 5;

/** The due items of these shards, oldest first, locked. */
export async function takeDue(
  transaction: Queryable,
  shards: readonly number[],
  limit: number,
): Promise<ItemRow[]> {
  const { rows } = await transaction.query<ItemRow & { [column: string]: unknown }>({
    ...dueItems,
    values: [shards, limit, parkSeconds],
  });
  return rows;
}

/** The shards that are still ours; the row locks keep a take-over waiting until this transaction is done. */
export async function lockShards(transaction: Queryable, held: HeldShards): Promise<number[]> {
  const { rows } = await transaction.query<{ shard: number }>({
    name: "inbound-lock-shards",
    text: `SELECT a.key::int AS shard FROM assignments a JOIN unnest($2::text[], $3::bigint[]) AS given (key, epoch) USING (key, epoch)
           WHERE a.kind = 'inbound-shard' AND a.worker = $1 FOR SHARE OF a`,
    values: [
      held.worker,
      held.shards.map(({ shard }) => String(shard)),
      held.shards.map(({ epoch }) => epoch),
    ],
  });
  return rows.map(({ shard }) => shard);
}

/** The items by what they tell, in the order given; what can't be read is in none. */
export class SortedItems {
  readonly #items: readonly { readonly row: ItemRow; readonly item: InboundItem }[];

  constructor(rows: readonly ItemRow[]) {
    this.#items = rows.flatMap((row) => {
      const { data } = inboundItem.safeParse(row.converted);
      return data === undefined ? [] : [{ row, item: data }];
    });
  }

  of<Kind extends InboundItem["kind"]>(kind: Kind): ItemOf<Kind>[] {
    return this.#items.filter((each): each is ItemOf<Kind> => each.item.kind === kind);
  }
}

/** `reason` is ours; without one the item's own notice tells it. */
export async function keepWhole(
  transaction: Queryable,
  ids: readonly number[],
  reason: string | null = null,
): Promise<void> {
  if (ids.length === 0) return;
  await transaction.query({
    text: `INSERT INTO inbound_unrouted (id, channel, connection_id, reason, raw, received_at)
           SELECT given.unrouted_id, c.channel, i.connection_id, coalesce($3, i.converted ->> 'reason', 'unreadable'), i.raw, i.received_at
           FROM unnest($1::bigint[], $2::uuid[]) AS given (id, unrouted_id) JOIN inbound_items i USING (id) JOIN connections c ON c.id = i.connection_id`,
    values: [ids, ids.map(() => newId()), reason],
  });
}

/** Looked at again after as long as they have waited, but within seconds: often at first, less often later. Nothing of their conversations waits for them. */
export async function park(transaction: Queryable, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.query({
    name: "inbound-park",
    text: `UPDATE inbound_items SET parked = true,
             due_at = least(
               now() + least(greatest(now() - received_at, interval '200 milliseconds'), $3 * interval '1 second'),
               received_at + $2 * interval '1 second'
             )
           WHERE id = ANY($1)`,
    values: [ids, parkSeconds, longestLookSeconds],
  });
}

export async function remove(transaction: Queryable, ids: readonly number[]): Promise<void> {
  await transaction.query({
    name: "inbound-done",
    text: "DELETE FROM inbound_items WHERE id = ANY($1)",
    values: [ids],
  });
}

// An item waits while an earlier one of its conversation is not due yet (its media is still being fetched).
const dueItems = {
  name: "inbound-due",
  text: `SELECT i.id, i.store_id, i.connection_id, c.channel, c.address AS connection_address, i.thread, i.converted, i.received_at,
           i.received_at <= now() - $3 * interval '1 second' AS waited
         FROM inbound_items i JOIN connections c ON c.id = i.connection_id
         WHERE i.shard = ANY($1) AND i.due_at <= now()
           AND NOT EXISTS (SELECT 1 FROM inbound_items earlier WHERE earlier.shard = i.shard AND earlier.id < i.id
             AND earlier.connection_id = i.connection_id AND earlier.thread = i.thread AND earlier.due_at > now() AND NOT earlier.parked)
         ORDER BY i.id LIMIT $2 FOR UPDATE OF i`,
};
