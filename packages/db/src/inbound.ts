// What came in: stored once by (connection, key), with its raw form, before the provider is told that we have it.
import { inboundShards, newId, shardOf } from "@thikaa/schema";
import type { ChannelCode, Converted, InboundMedia } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** The longest that an item waits for its files, in seconds; then its message goes on without them. */
const mediaWaitSeconds = 10;

/** One thing that came in on a connection. */
export interface NewInboundItem {
  /** The provider's name of this item; a repeat within 7 days is known by it. */
  readonly key: string;
  /** The conversation it belongs to, in the channel's own words. */
  readonly thread: string;
  readonly raw: Buffer;
  readonly converted: Converted;
}

/** The shard of the inbox that a conversation belongs to. */
export function inboundShard(connectionId: string, thread: string): number {
  return shardOf(connectionId + thread, inboundShards);
}

/**
 * Stores the items that were not there yet, in the order given, in one statement (and so one transaction).
 * Gives the keys that were new. It is never fenced: what came in is evidence, whoever received it.
 * Files that came with an item are noted to be fetched, and the item waits for them a while.
 */
export async function storeInbound(
  database: Queryable,
  connection: { storeId: string; id: string },
  items: readonly NewInboundItem[],
): Promise<string[]> {
  const once = [...new Map(items.map((item) => [item.key, item])).values()];
  if (once.length === 0) return [];
  const files = once.flatMap(filesOf);
  const { rows } = await database.query<{ key: string }>({
    ...(files.length === 0 ? storeStatement : storeWithFilesStatement),
    values: [
      connection.storeId,
      connection.id,
      once.map((item) => item.key),
      once.map((item) => item.thread),
      once.map((item) => inboundShard(connection.id, item.thread)),
      once.map((item) => item.raw),
      once.map((item) => JSON.stringify(item.converted)),
      ...(files.length === 0 ? [] : fileColumns(files)),
    ],
  });
  return rows.map((row) => row.key);
}

/** Keeps whole what came for no connection of ours. `connectionId` is whose door it came in by. */
export async function keepUnrouted(
  database: Queryable,
  from: {
    readonly channel: ChannelCode;
    readonly connectionId: string | null;
    readonly reason: string;
  },
  raws: readonly Buffer[],
): Promise<void> {
  if (raws.length === 0) return;
  await database.query({
    name: "inbound-keep-unrouted",
    text: `INSERT INTO inbound_unrouted (id, channel, connection_id, reason, raw)
           SELECT id, $1, $2, $3, raw FROM unnest($4::uuid[], $5::bytea[]) AS given (id, raw)`,
    values: [from.channel, from.connectionId, from.reason, raws.map(() => newId()), raws],
  });
}

interface NewFile {
  readonly key: string;
  readonly n: number;
  readonly media: InboundMedia;
}

function filesOf({ key, converted }: NewInboundItem): NewFile[] {
  return converted.kind === "message" || converted.kind === "own"
    ? converted.media.map((media, index) => ({ key, n: index + 1, media }))
    : [];
}

function fileColumns(files: readonly NewFile[]): unknown[] {
  return [
    files.map(({ key }) => key),
    files.map(() => newId()),
    files.map(({ n }) => n),
    files.map(({ media }) => media.type),
    files.map(({ media }) => media.mime),
    files.map(({ media }) => media.size),
    files.map(({ media }) => media.name),
    files.map(({ media }) => media.reference),
    mediaWaitSeconds,
  ];
}

/** The items that were not there yet, as `item` and `fresh`. */
const freshItems = `WITH item AS (
             SELECT * FROM unnest($3::text[], $4::text[], $5::int[], $6::bytea[], $7::jsonb[]) WITH ORDINALITY AS i (key, thread, shard, raw, converted, n)
           ), fresh AS (
             INSERT INTO inbound_keys (connection_id, key) SELECT $2, key FROM item ORDER BY key ON CONFLICT DO NOTHING RETURNING key
           ), touched AS (
             UPDATE connections SET last_inbound_at = now()
             WHERE id = $2 AND EXISTS (SELECT 1 FROM fresh) AND (last_inbound_at IS NULL OR last_inbound_at < now() - interval '1 second')
           )`;

const storeStatement = {
  name: "inbound-store",
  text: `${freshItems}
           INSERT INTO inbound_items (store_id, connection_id, key, thread, shard, raw, converted)
           SELECT $1, $2, key, thread, shard, raw, converted FROM item JOIN fresh USING (key) ORDER BY n RETURNING key`,
};

const storeWithFilesStatement = {
  name: "inbound-store-with-files",
  text: `${freshItems}, file AS (
             SELECT * FROM unnest($8::text[], $9::uuid[], $10::int[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::text[])
               AS f (key, media_id, n, kind, mime, size, name, reference)
           ), stored AS (
             INSERT INTO inbound_items (store_id, connection_id, key, thread, shard, raw, converted, due_at)
             SELECT $1, $2, key, thread, shard, raw, converted,
               now() + CASE WHEN EXISTS (SELECT 1 FROM file WHERE file.key = item.key) THEN $16 ELSE 0 END * interval '1 second'
             FROM item JOIN fresh USING (key) ORDER BY n RETURNING id, key, thread
           ), noted AS (
             INSERT INTO media (store_id, id, connection_id, item_id, n, kind, mime, size, name)
             SELECT $1, media_id, $2, stored.id, n, kind, mime, size, name FROM file JOIN stored USING (key)
           ), wanted AS (
             INSERT INTO media_fetches (media_id, store_id, connection_id, item_id, thread, reference)
             SELECT media_id, $1, $2, stored.id, thread, reference FROM file JOIN stored USING (key)
           )
           SELECT key FROM stored`,
};
