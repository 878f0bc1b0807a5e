// Connections as their owner manages them: adding, changing and removing the rows that a channel's workers then act on.
import type { ChannelCode, ConnectionReason, ConnectionState, DesiredState } from "@thikaa/schema";
import { shownState } from "./connection-status.ts";
import type { Database, Queryable } from "./database.ts";

/** A connection with its state as it truly is: `connected` only while its worker lives. */
export interface AdminConnection {
  readonly id: string;
  readonly store_id: string;
  readonly store: string;
  readonly channel: ChannelCode;
  readonly name: string;
  readonly is_default: boolean;
  readonly environment: "live" | "sandbox";
  readonly desired: DesiredState;
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  readonly since: Date;
  readonly address: string | null;
  readonly display: Readonly<Record<string, unknown>>;
  readonly credentials_sealed: string;
  readonly revision: number;
  readonly last_inbound_at: Date | null;
  readonly last_sent_at: Date | null;
  readonly created_at: Date;
  readonly queued: number;
}

export interface NewConnection {
  readonly id: string;
  readonly storeId: string;
  readonly channel: ChannelCode;
  readonly name: string;
  readonly environment: "live" | "sandbox";
  readonly credentialsSealed: string;
  readonly webhookSecretSealed: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly priceMicro: number | null;
}

export interface ConnectionChange {
  readonly name?: string;
  /** `true` makes it its channel's default in the place of another. */
  readonly makeDefault?: true;
  readonly desired?: "on" | "off";
  readonly credentialsSealed?: string;
}

/** What the owner of a new connection has reported so far, straight from the row. */
export interface FirstReport {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
}

const selectConnection = `SELECT c.id, c.store_id, s.slug AS store, c.channel, c.name, c.is_default, c.environment, c.desired,
  ${shownState},
  c.since, c.address, c.display, c.credentials_sealed, c.revision, c.last_inbound_at, c.last_sent_at, c.created_at,
  (SELECT count(*)::int FROM send_queue q WHERE q.connection_id = c.id) AS queued
  FROM connections c JOIN stores s ON s.id = c.store_id WHERE c.desired <> 'removed'`;

/** Inserts a connection, wanted on and connecting; the first of its store on its channel is that channel's default. */
export async function createConnection(
  database: Database,
  connection: NewConnection,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockStore(transaction, connection.storeId);
    await transaction.query({
      text: `INSERT INTO connections (store_id, id, channel, name, is_default, environment, credentials_sealed, webhook_secret_sealed, settings, price_micro)
             SELECT $1, $2, $3, $4, NOT EXISTS (SELECT 1 FROM connections WHERE store_id = $1 AND channel = $3 AND is_default AND desired <> 'removed'), $5, $6, $7, $8, $9`,
      values: [
        connection.storeId,
        connection.id,
        connection.channel,
        connection.name,
        connection.environment,
        connection.credentialsSealed,
        connection.webhookSecretSealed,
        connection.settings,
        connection.priceMicro,
      ],
    });
  });
}

/** All connections but removed ones, of one store or of all, oldest first. */
export async function listConnections(
  database: Queryable,
  storeId: string | null = null,
): Promise<AdminConnection[]> {
  return (
    await database.query<AdminConnection>({
      text: `${selectConnection} AND ($1::uuid IS NULL OR c.store_id = $1) ORDER BY s.slug, c.id`,
      values: [storeId],
    })
  ).rows;
}

/** The connection of an id, or `null` when there is none or it was removed. */
export async function findConnection(
  database: Queryable,
  id: string,
): Promise<AdminConnection | null> {
  return (
    (
      await database.query<AdminConnection>({
        text: `${selectConnection} AND c.id = $1`,
        values: [id],
      })
    ).rows[0] ?? null
  );
}

/** What the owner of a connection last reported, or `null` when its row is gone. */
export async function readFirstReport(
  database: Queryable,
  id: string,
): Promise<FirstReport | null> {
  return (
    (
      await database.query<FirstReport & { [column: string]: unknown }>({
        text: "SELECT state, reason FROM connections WHERE id = $1 AND desired <> 'removed'",
        values: [id],
      })
    ).rows[0] ?? null
  );
}

/** Changes what is given and leaves the rest. New credentials or a new wish raise the revision, by which the owner sees them. */
export async function changeConnection(
  database: Database,
  connection: Pick<AdminConnection, "id" | "store_id" | "channel">,
  change: ConnectionChange,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockStore(transaction, connection.store_id);
    if (change.makeDefault === true) {
      await transaction.query({
        text: "UPDATE connections SET is_default = false WHERE store_id = $1 AND channel = $2 AND is_default",
        values: [connection.store_id, connection.channel],
      });
    }
    await transaction.query({
      text: `UPDATE connections SET name = coalesce($3, name), is_default = is_default OR $4, desired = coalesce($5, desired),
             credentials_sealed = coalesce($6, credentials_sealed),
             revision = revision + CASE WHEN $6::text IS NOT NULL OR $5::text IS DISTINCT FROM desired AND $5::text IS NOT NULL THEN 1 ELSE 0 END
             WHERE store_id = $1 AND id = $2 AND desired <> 'removed'`,
      values: [
        connection.store_id,
        connection.id,
        change.name,
        change.makeDefault === true,
        change.desired,
        change.credentialsSealed,
      ],
    });
  });
}

/** Marks a connection removed: its owner lets it go for good, its address is free again, and the oldest left takes its place as default. */
export async function removeConnection(
  database: Database,
  connection: Pick<AdminConnection, "id" | "store_id" | "channel">,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockStore(transaction, connection.store_id);
    await transaction.query({
      // One that was off has no owner, and needs one once more: to take back what it left at the provider.
      text: `UPDATE connections SET desired = 'removed', is_default = false, revision = revision + 1,
             state = CASE WHEN state = 'off' THEN 'recovering' ELSE state END WHERE store_id = $1 AND id = $2`,
      values: [connection.store_id, connection.id],
    });
    await promoteOldest(transaction, connection);
  });
}

/** Takes a connection that failed its first check away whole, credentials and all: nothing was ever sent or received by it. */
export async function discardConnection(
  database: Database,
  connection: Pick<AdminConnection, "id" | "store_id" | "channel">,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockStore(transaction, connection.store_id);
    await transaction.query({
      text: "DELETE FROM connector_state WHERE connection_id = $1",
      values: [connection.id],
    });
    await transaction.query({
      text: "DELETE FROM connections WHERE store_id = $1 AND id = $2",
      values: [connection.store_id, connection.id],
    });
    await promoteOldest(transaction, connection);
  });
}

async function promoteOldest(
  transaction: Queryable,
  connection: Pick<AdminConnection, "store_id" | "channel">,
): Promise<void> {
  await transaction.query({
    text: `UPDATE connections SET is_default = true WHERE id = (
             SELECT id FROM connections WHERE store_id = $1 AND channel = $2 AND desired <> 'removed' ORDER BY id LIMIT 1)
           AND NOT EXISTS (SELECT 1 FROM connections WHERE store_id = $1 AND channel = $2 AND is_default AND desired <> 'removed')`,
    values: [connection.store_id, connection.channel],
  });
}

/** Changes of one store's connections wait for each other, so that there is always exactly one default. */
async function lockStore(transaction: Queryable, storeId: string): Promise<void> {
  await transaction.query({
    text: "SELECT 1 FROM stores WHERE id = $1 FOR NO KEY UPDATE",
    values: [storeId],
  });
}
