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

/** Makes a cursor unless there is one. */
export async function createCursor(transaction: Queryable, cursor: EventCursor): Promise<void> {
  await transaction.query({
    text: "INSERT INTO event_cursors (reader, store_id, sequence) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    values: [cursor.reader, cursor.storeId, cursor.sequence],
  });
}

/** The number of a store's last event; 0 when it has none. */
export async function lastSequence(database: Queryable, storeId: string): Promise<number> {
  const { rows } = await database.query<{ last: number }>({
    text: "SELECT last FROM store_sequences WHERE store_id = $1",
    values: [storeId],
  });
  return rows[0]?.last ?? 0;
}
