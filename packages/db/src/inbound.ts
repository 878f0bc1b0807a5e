// What came in: stored once by (connection, key), with its raw form, before the provider is told that we have it.
import { inboundShards, shardOf } from "@thikaa/schema";
import type { Converted } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

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
 */
export async function storeInbound(
  database: Queryable,
  connection: { storeId: string; id: string },
  items: readonly NewInboundItem[],
): Promise<string[]> {
  const once = [...new Map(items.map((item) => [item.key, item])).values()];
  if (once.length === 0) return [];
  const { rows } = await database.query<{ key: string }>({
    name: "inbound-store",
    text: `WITH item AS (
             SELECT * FROM unnest($3::text[], $4::text[], $5::int[], $6::bytea[], $7::jsonb[]) WITH ORDINALITY AS i (key, thread, shard, raw, converted, n)
           ), fresh AS (
             INSERT INTO inbound_keys (connection_id, key) SELECT $2, key FROM item ORDER BY key ON CONFLICT DO NOTHING RETURNING key
           ), touched AS (
             UPDATE connections SET last_inbound_at = now()
             WHERE id = $2 AND EXISTS (SELECT 1 FROM fresh) AND (last_inbound_at IS NULL OR last_inbound_at < now() - interval '1 second')
           )
           INSERT INTO inbound_items (store_id, connection_id, key, thread, shard, raw, converted)
           SELECT $1, $2, key, thread, shard, raw, converted FROM item JOIN fresh USING (key) ORDER BY n RETURNING key`,
    values: [
      connection.storeId,
      connection.id,
      once.map((item) => item.key),
      once.map((item) => item.thread),
      once.map((item) => inboundShard(connection.id, item.thread)),
      once.map((item) => item.raw),
      once.map((item) => JSON.stringify(item.converted)),
    ],
  });
  return rows.map((row) => row.key);
}
