// Finishing inbound items: what each tells becomes rows and events in one transaction, in the order in which they came.
import { newId } from "@thikaa/schema";
import { dropMedia, insertEvents } from "@thikaa/db";
import type { Database, NewEvent, Queryable } from "@thikaa/db";
import { storeBlocks } from "./contact-blocks.ts";
import { keepWhole, lockShards, park, remove, SortedItems, takeDue } from "./items.ts";
import type { HeldShards, ItemRow } from "./items.ts";
import type { MediaAddress } from "./message-media.ts";
import { judgeOwn } from "./own-messages.ts";
import { storeReceipts } from "./receipts.ts";
import { messageEvent } from "./received-event.ts";
import { storeMessages } from "./store-messages.ts";
import type { StoredMessage } from "./store-messages.ts";
import { updatedEvents } from "./updated-events.ts";

export interface FinishedItems {
  readonly finished: number;
  readonly kept: number;
  /** Receipts of messages that nobody knows, after they were waited for. */
  readonly unmatched: number;
  /** Whether there may be more. */
  readonly more: boolean;
  /** Stores whose events wait for numbers. */
  readonly stores: readonly string[];
  /** The messages that were written. */
  readonly messages: readonly StoredMessage[];
}

export interface FinishRequest {
  readonly held: HeldShards;
  readonly limit: number;
  readonly addressOf: MediaAddress;
}

const nothing: FinishedItems = {
  finished: 0,
  kept: 0,
  unmatched: 0,
  more: false,
  stores: [],
  messages: [],
};

/** Finishes due items of the held shards, at most `limit`, in one transaction. What can't be finished is kept whole in `inbound_unrouted`. */
export async function finishItems(
  database: Database,
  { held, limit, addressOf }: FinishRequest,
): Promise<FinishedItems> {
  return database.transaction(async (transaction) => {
    const shards = await lockShards(transaction, held);
    if (shards.length === 0) return nothing;
    const rows = await takeDue(transaction, shards, limit);
    const told = await tell(transaction, new SortedItems(rows), addressOf);
    const open = new Set(told.open.filter(({ waited }) => !waited));
    await park(transaction, idsOf([...open]));
    const kept = rows.filter((row) => !told.read.has(row));
    await keepWhole(transaction, idsOf(kept));
    await remove(transaction, idsOf(rows.filter((row) => !open.has(row))));
    return {
      finished: rows.length - kept.length - open.size,
      kept: kept.length,
      unmatched: told.open.length - open.size,
      more: rows.length >= limit,
      stores: [...new Set(told.stores)],
      messages: told.messages,
    };
  });
}

/** Takes the first due item aside, whole, so that one that can't be finished holds up nothing behind it. */
export async function setFirstAside(database: Database, held: HeldShards): Promise<void> {
  await database.transaction(async (transaction) => {
    const shards = await lockShards(transaction, held);
    const ids = idsOf(await takeDue(transaction, shards, 1));
    await keepWhole(transaction, ids, "not_finished");
    await remove(transaction, ids);
  });
}

interface Told {
  /** The items that were understood. */
  readonly read: ReadonlySet<ItemRow>;
  /** Those of them that tell of what is not known, or not yet. */
  readonly open: readonly ItemRow[];
  readonly stores: readonly string[];
  readonly messages: readonly StoredMessage[];
}

async function tell(
  transaction: Queryable,
  items: SortedItems,
  addressOf: MediaAddress,
): Promise<Told> {
  const own = await judgeOwn(transaction, items.of("own"));
  await dropMedia(transaction, idsOf(own.echoes.map(({ row }) => row)));
  const written = [...items.of("message"), ...own.device]
    .toSorted((one, other) => one.row.id - other.row.id)
    .map(({ row, item }) => ({ row, said: item, messageId: newId() }));
  const messages = await storeMessages(transaction, written);
  const blocks = items.of("block");
  const blocked = await storeBlocks(
    transaction,
    blocks.map(({ row, item }) => ({ ...row, block: item })),
  );
  const media = items.of("media");
  const updated = await updatedEvents(
    transaction,
    media.map(({ row, item }) => ({ storeId: row.store_id, id: item.media_id })),
    addressOf,
  );
  const events = [
    ...messages.map((stored) => ({ row: stored.row, event: messageEvent(stored, addressOf) })),
    ...blocks.flatMap(({ row }, index) => placed(row, blocked[index])),
  ].toSorted((one, other) => one.row.id - other.row.id);
  await insertEvents(transaction, [...events.map(({ event }) => event), ...updated]);
  const receipts = items.of("receipt");
  const { open, stores } = await storeReceipts(transaction, receipts);
  return {
    read: new Set(
      [...written, ...own.echoes, ...own.open, ...blocks, ...media, ...receipts].map(
        ({ row }) => row,
      ),
    ),
    open: [...own.open.map(({ row }) => row), ...open],
    stores: [
      ...events.map(({ row }) => row.store_id),
      ...updated.map(({ storeId }) => storeId),
      ...stores,
    ],
    messages,
  };
}

function placed(row: ItemRow, event: NewEvent | undefined): { row: ItemRow; event: NewEvent }[] {
  return event === undefined ? [] : [{ row, event }];
}

function idsOf(rows: readonly ItemRow[]): number[] {
  return rows.map(({ id }) => id);
}
