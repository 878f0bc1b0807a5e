// What a connector keeps for one connection (cursors, sessions): sealed texts by key, written by the connection's owner alone.
import { heldBy } from "./connections.ts";
import type { ConnectionFence } from "./connections.ts";
import type { Database, Queryable } from "./database.ts";

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

/** Writes all given values (`null` deletes) in one transaction. `false` when the connection is no longer this owner's: then nothing was written. */
export async function writeConnectorState(
  database: Database,
  fence: ConnectionFence,
  values: ReadonlyMap<string, string | null>,
): Promise<boolean> {
  const kept = [...values].filter((entry): entry is [string, string] => entry[1] !== null);
  const deleted = [...values.keys()].filter((key) => values.get(key) === null);
  return database.transaction(async (transaction) => {
    const held = await transaction.query({
      text: `SELECT 1 FROM connections c WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}`,
      values: [fence.connectionId, fence.worker, fence.epoch],
    });
    if (held.rowCount !== 1) return false;
    await transaction.query({
      text: "DELETE FROM connector_state WHERE connection_id = $1 AND key = ANY($2)",
      values: [fence.connectionId, deleted],
    });
    await transaction.query({
      text: `INSERT INTO connector_state (connection_id, key, value_sealed) SELECT $1, * FROM unnest($2::text[], $3::text[]) ORDER BY 2
             ON CONFLICT (connection_id, key) DO UPDATE SET value_sealed = excluded.value_sealed`,
      values: [fence.connectionId, kept.map(([key]) => key), kept.map(([, sealed]) => sealed)],
    });
    return true;
  });
}
