// Cursors: how far a reader has come in a store's events, moved in the transaction of what the reader does with them.
import type { ChannelCode, EventType } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

export interface EventCursor {
  readonly reader: string;
  readonly storeId: string;
  /** Everything up to this number has been read. */
  readonly sequence: number;
}

/** What a reader needs of an event to decide who wants it. */
export interface EventHead {
  readonly id: string;
  readonly sequence: number;
  readonly type: EventType;
  readonly channel: ChannelCode | null;
  readonly instanceId: string | null;
}

/**
 * A reader's cursor, locked until the transaction ends, so that two workers never read the same events; `null` when there is
 * none yet. Create it then, and lock again: another worker may have been first.
 */
export async function lockCursor(
  transaction: Queryable,
  reader: string,
  storeId: string,
): Promise<EventCursor | null> {
  const { rows } = await transaction.query<{ sequence: number }>({
    name: "cursor-lock",
    text: "SELECT sequence FROM event_cursors WHERE reader = $1 AND store_id = $2 FOR UPDATE",
    values: [reader, storeId],
  });
  return rows[0] === undefined ? null : { reader, storeId, sequence: rows[0].sequence };
}

/** Makes a cursor unless there is one. */
export async function createCursor(transaction: Queryable, cursor: EventCursor): Promise<void> {
  await transaction.query({
    text: "INSERT INTO event_cursors (reader, store_id, sequence) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    values: [cursor.reader, cursor.storeId, cursor.sequence],
  });
}

/** Moves a locked cursor forward. */
export async function advanceCursor(transaction: Queryable, cursor: EventCursor): Promise<void> {
  await transaction.query({
    name: "cursor-advance",
    text: "UPDATE event_cursors SET sequence = $3 WHERE reader = $1 AND store_id = $2",
    values: [cursor.reader, cursor.storeId, cursor.sequence],
  });
}

/** A store's numbered events after a number, oldest first, without their data. */
export async function readEventHeads(
  transaction: Queryable,
  page: { storeId: string; after: number; limit: number },
): Promise<EventHead[]> {
  const { rows } = await transaction.query<{
    id: string;
    sequence: number;
    type: EventType;
    channel: ChannelCode | null;
    instance_id: string | null;
  }>({
    name: "event-heads",
    text: "SELECT id, sequence, type, channel, instance_id FROM events WHERE store_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
    values: [page.storeId, page.after, page.limit],
  });
  return rows.map(({ instance_id, ...row }) => ({ ...row, instanceId: instance_id }));
}

/** The number of a store's last event; 0 when it has none. */
export async function lastSequence(database: Queryable, storeId: string): Promise<number> {
  const { rows } = await database.query<{ last: number }>({
    text: "SELECT last FROM store_sequences WHERE store_id = $1",
    values: [storeId],
  });
  return rows[0]?.last ?? 0;
}
