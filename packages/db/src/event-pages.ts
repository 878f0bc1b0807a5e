// Pages of events for the reader that turns them into deliveries: many stores in one statement, and written back in one.
import { newId } from "@thikaa/schema";
import type { Queryable } from "./database.ts";
import type { Subscription } from "./endpoints.ts";
import type { EventHead } from "./event-cursors.ts";
import { storeShard } from "./events.ts";

export interface NewDelivery {
  readonly storeId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly sequence: number;
}

/** What a reader finds in a store: its open endpoints, and the events after its cursor of the types that one of them wants. */
export interface EventPage {
  readonly storeId: string;
  /** Where the reader's cursor stands; `null` before it has begun. */
  readonly after: number | null;
  /** Everything up to here has been looked at. */
  readonly upto: number;
  /** Whether the store has more after that. */
  readonly more: boolean;
  readonly subscriptions: readonly Subscription[];
  readonly events: readonly EventHead[];
}

/** A page that was read and the deliveries that it makes. */
export interface ReadPage {
  readonly page: EventPage;
  readonly deliveries: readonly NewDelivery[];
}

/** So many numbers are looked at in one page, when few of them are wanted. */
const widestPage = 20_000;

/**
 * Reads a page of each store that has unread events. Endpoints and events are of one moment: an endpoint that was there before an
 * event was committed is seen with it, so that it can't miss the event. A reader begins where the earliest open endpoint does.
 */
export async function readEventPages(
  database: Queryable,
  read: { reader: string; storeIds: readonly string[]; limit: number },
): Promise<EventPage[]> {
  const { rows } = await database.query<PageRow>({
    ...pageStatement,
    values: [read.reader, read.storeIds, read.limit, widestPage],
  });
  return rows.map(({ store_id, after, last, reach, subscriptions, events }) => {
    // A full page may have left out wanted events beyond its last one.
    const upto = events.length < read.limit ? reach : (events.at(-1)?.sequence ?? reach);
    return { storeId: store_id, after, upto, more: upto < last, subscriptions, events };
  });
}

/**
 * Queues the deliveries of pages and moves the reader's cursors in one statement. A store whose cursor another worker has moved
 * since gives nothing, so that no event is ever read twice.
 */
export async function writeEventPages(
  database: Queryable,
  reader: string,
  pages: readonly ReadPage[],
): Promise<void> {
  if (pages.length === 0) return;
  const deliveries = pages.flatMap((page) => page.deliveries);
  await database.query({
    ...writeStatement,
    values: [
      reader,
      pages.map(({ page }) => page.storeId),
      pages.map(({ page }) => page.after),
      pages.map(({ page }) => page.upto),
      deliveries.map(() => newId()),
      deliveries.map(({ storeId }) => storeId),
      deliveries.map(({ endpointId }) => endpointId),
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ sequence }) => sequence),
      deliveries.map(({ storeId }) => storeShard(storeId)),
    ],
  });
}

interface PageRow {
  readonly [column: string]: unknown;
  readonly store_id: string;
  readonly after: number | null;
  readonly last: number;
  readonly reach: number;
  readonly subscriptions: Subscription[];
  readonly events: EventHead[];
}

// Nothing from before the earliest open endpoint is looked at, and nothing at all where there is none.
const pageStatement = {
  name: "event-pages",
  text: `WITH open AS MATERIALIZED (
           SELECT e.store_id, e.id, e.instance_id, e.events, i.channels, b.sequence AS starts_after
           FROM endpoints e
           JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id AND i.status = 'active' AND coalesce(i.expires_at > now(), true)
           LEFT JOIN event_cursors b ON b.store_id = e.store_id AND b.reader = 'endpoint:' || e.id::text
           WHERE e.store_id = ANY ($2::uuid[]) AND e.status = 'active'
         ), unread AS (
           SELECT s.store_id, c.sequence AS after, s.last,
             greatest(c.sequence, coalesce((SELECT min(o.starts_after) FROM open o WHERE o.store_id = s.store_id), s.last)) AS first
           FROM store_sequences s LEFT JOIN event_cursors c ON c.reader = $1 AND c.store_id = s.store_id
           WHERE s.store_id = ANY ($2::uuid[]) AND s.last > coalesce(c.sequence, -1)
         ), ranges AS (
           SELECT unread.*, least(last, first + $4::bigint) AS reach FROM unread
         )
         SELECT r.store_id, r.after, r.last, r.reach, (
           SELECT coalesce(json_agg(json_build_object('endpointId', o.id, 'instanceId', o.instance_id, 'events', o.events,
             'channels', o.channels, 'startsAfter', o.starts_after)), '[]') FROM open o WHERE o.store_id = r.store_id
         ) AS subscriptions, (
           SELECT coalesce(json_agg(json_build_object('id', v.id, 'sequence', v.sequence, 'type', v.type, 'channel', v.channel,
             'instanceId', v.instance_id) ORDER BY v.sequence), '[]')
           FROM (
             SELECT id, sequence, type, channel, instance_id FROM events
             WHERE store_id = r.store_id AND sequence > r.first AND sequence <= r.reach
               AND type = ANY (array(SELECT unnest(o.events) FROM open o WHERE o.store_id = r.store_id))
             ORDER BY sequence LIMIT $3
           ) v
         ) AS events
         FROM ranges r`,
};

const writeStatement = {
  name: "event-pages-write",
  text: `WITH pages AS (
           SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS g (store_id, after, upto)
         ), moved AS (
           INSERT INTO event_cursors AS c (reader, store_id, sequence) SELECT $1, store_id, upto FROM pages ORDER BY store_id
           ON CONFLICT (reader, store_id) DO UPDATE SET sequence = excluded.sequence
             WHERE c.sequence = (SELECT pages.after FROM pages WHERE pages.store_id = c.store_id)
           RETURNING c.store_id
         ), given AS (
           SELECT d.* FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::bigint[], $10::int[]) AS d (id, store_id, endpoint_id, event_id, sequence, shard)
           JOIN moved ON moved.store_id = d.store_id
         ), made AS (
           INSERT INTO deliveries (store_id, id, endpoint_id, event_id, sequence) SELECT store_id, id, endpoint_id, event_id, sequence FROM given
         )
         INSERT INTO delivery_queue (delivery_id, store_id, endpoint_id, event_id, shard) SELECT id, store_id, endpoint_id, event_id, shard FROM given`,
};
