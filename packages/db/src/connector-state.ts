// What a connector keeps for one connection (cursors, sessions): sealed texts by key, written by the connection's owner alone.
import { heldBy } from "./connections.ts";
import type { ConnectionFence } from "./connections.ts";
import type { Database, Queryable } from "./database.ts";
import { storeInbound } from "./inbound.ts";
import type { NewInboundItem } from "./inbound.ts";

/** The sealed values of these keys; keys that have none are left out. */
export async function readConnectorState(
  database: Queryable,
  connectionId: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await database.query<{ key: string; value_sealed: string }>({
    name: "connector-state-read",
    text: "SELECT key, value_sealed FROM connector_state WHERE connection_id = $1 AND key = ANY($2)",
    values: [connectionId, keys],
  });
  return new Map(rows.map((row) => [row.key, row.value_sealed]));
}

/** Writes all given values (`null` deletes), all or none. `false` when the connection is no longer this owner's: then nothing was written. */
export async function writeConnectorState(
  database: Queryable,
  fence: ConnectionFence,
  values: ReadonlyMap<string, string | null>,
): Promise<boolean> {
  const kept = [...values].filter((entry): entry is [string, string] => entry[1] !== null);
  const { rowCount } = await database.query({
    ...writeStatement,
    values: [
      fence.connectionId,
      fence.worker,
      fence.epoch,
      [...values.keys()].filter((key) => values.get(key) === null),
      kept.map(([key]) => key),
      kept.map(([, sealed]) => sealed),
    ],
  });
  return rowCount === 1;
}

/** Deletes every value whose key begins with the prefix, all or none. `false` when the connection is no longer this owner's: then nothing was deleted. */
export async function deleteConnectorState(
  database: Queryable,
  { connectionId, worker, epoch }: ConnectionFence,
  prefix: string,
): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "connector-state-delete",
    text: `WITH held AS MATERIALIZED (
             SELECT c.id FROM connections c WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}
           ), gone AS (
             DELETE FROM connector_state s USING held WHERE s.connection_id = held.id AND starts_with(s.key, $4)
           )
           SELECT 1 FROM held`,
    values: [connectionId, worker, epoch, prefix],
  });
  return rowCount === 1;
}

/**
 * Stores what came in together with the state that it left behind, in one transaction. Gives the keys that were new;
 * `null` when the connection is no longer this owner's: then nothing was written, neither items nor state.
 */
export async function storeInboundWithState(
  database: Database,
  owner: ConnectionFence & { readonly storeId: string },
  given: {
    readonly items: readonly NewInboundItem[];
    readonly state: ReadonlyMap<string, string | null>;
  },
): Promise<string[] | null> {
  return database.transaction(async (transaction) => {
    if (!(await writeConnectorState(transaction, owner, given.state))) return null;
    return storeInbound(
      transaction,
      { storeId: owner.storeId, id: owner.connectionId },
      given.items,
    );
  });
}

// Held to the transaction's end: a take-over comes before it or after.
const writeStatement = {
  name: "connector-state-write",
  text: `WITH held AS MATERIALIZED (
           SELECT c.id FROM connections c WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}
         ), gone AS (
           DELETE FROM connector_state s USING held WHERE s.connection_id = held.id AND s.key = ANY($4)
         ), kept AS (
           INSERT INTO connector_state (connection_id, key, value_sealed)
           SELECT held.id, given.key, given.sealed FROM held CROSS JOIN unnest($5::text[], $6::text[]) AS given (key, sealed) ORDER BY given.key
           ON CONFLICT (connection_id, key) DO UPDATE SET value_sealed = excluded.value_sealed
         )
         SELECT 1 FROM held`,
};
