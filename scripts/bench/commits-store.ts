// The rows that the floor of the three commits needs: a store that can pay, an instance, connections, and their one owner.
import type { Database } from "@thikaa/db";
import { newId } from "@thikaa/schema";

export interface FloorStore {
  readonly storeId: string;
  readonly instanceId: string;
  readonly connectionIds: readonly string[];
  /** Owns the connections, under epoch 1. */
  readonly worker: string;
}

const credit = 1_000_000_000_000_000;

/** Makes them in one transaction. */
export async function makeFloorStore(database: Database, connections: number): Promise<FloorStore> {
  const store = {
    storeId: newId(),
    instanceId: newId(),
    connectionIds: Array.from({ length: connections }, () => newId()),
    worker: newId(),
  };
  await database.transaction(async (transaction) => {
    const run = (text: string, ...values: unknown[]) => transaction.query({ text, values });
    const { storeId, instanceId, connectionIds, worker } = store;
    await run(
      "INSERT INTO stores (id, slug, name, plan) VALUES ($1, 'floor', 'floor', 'professional')",
      storeId,
    );
    await run("INSERT INTO balances (store_id, balance_micro) VALUES ($1, $2)", storeId, credit);
    await run(
      "INSERT INTO ledger (store_id, id, kind, amount_micro) VALUES ($1, $1, 'credit', $2)",
      storeId,
      credit,
    );
    await run(
      "INSERT INTO instances (store_id, id, name, channels, key_hash, key_prefix, key_last4) VALUES ($1, $2, 'floor', '{tg}', '\\x00', '-', '-')",
      storeId,
      instanceId,
    );
    await run(
      "INSERT INTO workers (id, role, host, expires_at) VALUES ($1, 'floor', 'floor', now() + interval '1 day')",
      worker,
    );
    await run(
      "INSERT INTO connections (store_id, id, channel, name, environment, state, credentials_sealed, webhook_secret_sealed) SELECT $1, id, 'tg', 'floor ' || id, 'live', 'connected', '-', '-' FROM unnest($2::uuid[]) AS id",
      storeId,
      connectionIds,
    );
    await run(
      "INSERT INTO assignments (kind, key, worker, epoch) SELECT 'connection', id::text, $1, 1 FROM unnest($2::uuid[]) AS id",
      worker,
      connectionIds,
    );
  });
  return store;
}
