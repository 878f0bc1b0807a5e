// Events: written unnumbered with their cause, numbered by the sequencer, read in order.
import { newId, shardOf, storeShards, toWireId } from "@thikaa/schema";
import type { ChannelCode, EventType, StoreEvent } from "@thikaa/schema";
import type { Database, Queryable } from "./database.ts";

/** An event as its cause writes it. `data` holds wire ids, in the form the API shows. */
export interface NewEvent {
  readonly storeId: string;
  readonly type: EventType;
  readonly channel: ChannelCode | null;
  readonly connectionId: string | null;
  /** The instance whose message it is about; `null` when it concerns every instance of the channel. */
  readonly instanceId: string | null;
  readonly data: unknown;
}

interface EventRow {
  readonly store_id: string;
  readonly id: string;
  readonly sequence: number;
  readonly type: EventType;
  readonly data: unknown;
  readonly created_at: Date;
}

/** The shard of the sequencer and of webhooks that a store belongs to. */
export function storeShard(storeId: string): number {
  return shardOf(storeId, storeShards);
}

/** Writes events without numbers, in the transaction of their cause. `Bus.ringUnnumbered` after the commit. */
export async function insertEvents(
  transaction: Queryable,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.query({
    name: "events-insert",
    text: `INSERT INTO events_unnumbered (shard, store_id, id, type, channel, connection_id, instance_id, data)
           SELECT * FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::json[])`,
    values: [
      events.map((event) => storeShard(event.storeId)),
      events.map((event) => event.storeId),
      events.map(() => newId()),
      events.map((event) => event.type),
      events.map((event) => event.channel),
      events.map((event) => event.connectionId),
      events.map((event) => event.instanceId),
      events.map((event) => JSON.stringify(event.data)),
    ],
  });
}

/** Events that got their numbers, by store. */
export interface NumberedEvents {
  readonly storeId: string;
  readonly events: StoreEvent[];
}

/**
 * Numbers the committed events of a shard, in the order they were written: one statement moves them, so that a number
 * and its event appear together, each store's numbers have no gap and no repeat. Called by the shard's owner alone.
 */
export async function numberEvents(
  database: Database,
  shard: number,
  limit: number,
): Promise<NumberedEvents[]> {
  const { rows } = await database.query<EventRow>({ ...numberStatement, values: [shard, limit] });
  const byStore = Map.groupBy(
    rows.toSorted((left, right) => left.sequence - right.sequence),
    (row) => row.store_id,
  );
  return [...byStore].map(([storeId, storeRows]) => ({
    storeId,
    events: storeRows.map(toStoreEvent),
  }));
}

/** A store's events after a number, oldest first. */
export async function listEvents(
  database: Queryable,
  page: { storeId: string; after: number; limit: number },
): Promise<StoreEvent[]> {
  const { rows } = await database.query<EventRow>({
    name: "events-list",
    text: "SELECT store_id, id, sequence, type, data, created_at FROM events WHERE store_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
    values: [page.storeId, page.after, page.limit],
  });
  return rows.map(toStoreEvent);
}

function toStoreEvent(row: EventRow): StoreEvent {
  const event = {
    event: row.type,
    event_id: toWireId("event", row.id),
    sequence: row.sequence,
    created_at: row.created_at.toISOString(),
    version: 1,
    data: row.data,
  };
  return event as StoreEvent;
}

// What is taken is named by its last position: row by row it would be looked for once for each row of the batch.
export const numberStatement = {
  name: "events-number",
  text: `WITH taken AS (
           DELETE FROM events_unnumbered u
           WHERE u.shard = $1 AND u.position <= (
             SELECT max(position) FROM (SELECT position FROM events_unnumbered WHERE shard = $1 ORDER BY position LIMIT $2) first)
           RETURNING u.*
         ), counted AS (
           INSERT INTO store_sequences AS s (store_id, last)
           SELECT store_id, count(*) FROM taken GROUP BY store_id ORDER BY store_id
           ON CONFLICT (store_id) DO UPDATE SET last = s.last + excluded.last
           RETURNING store_id, last
         ), numbered AS (
           SELECT taken.*, counted.last - count(*) OVER (PARTITION BY taken.store_id)
             + row_number() OVER (PARTITION BY taken.store_id ORDER BY taken.position) AS sequence
           FROM taken JOIN counted USING (store_id)
         )
         INSERT INTO events (store_id, id, sequence, type, channel, connection_id, instance_id, data, created_at)
         SELECT store_id, id, sequence, type, channel, connection_id, instance_id, data, created_at FROM numbered
         RETURNING store_id, id, sequence, type, data, created_at`,
};
