// Connections as their owner in a channel's app sees them: the row, and reports fenced by worker and epoch.
import type { ChannelCode, ConnectionReason, ConnectionState, DesiredState } from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** The kind of assignments whose keys are connections. */
export const connectionAssignment = "connection";

/** A connection's row as far as its owner needs it; secrets are sealed. */
export interface OwnedConnection {
  readonly id: string;
  readonly store_id: string;
  readonly channel: ChannelCode;
  readonly environment: "live" | "sandbox";
  readonly desired: DesiredState;
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  readonly address: string | null;
  readonly credentials_sealed: string;
  readonly webhook_secret_sealed: string;
  readonly revision: number;
}

/** Which connection, and by which right its owner writes. */
export interface ConnectionFence {
  readonly connectionId: string;
  readonly worker: string;
  readonly epoch: number;
}

export interface ConnectionReport {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason | null;
  /** It holds only while the row has this revision: what is wanted may have changed since. */
  readonly revision?: number | undefined;
}

const columns =
  "id, store_id, channel, environment, desired, state, reason, address, credentials_sealed, webhook_secret_sealed, revision";

/** True while the assignment is held by the worker with that epoch; the row stays locked until the statement's end, so a take-over comes before or after. */
export const heldBy = (worker: string, epoch: string) =>
  `(SELECT 1 FROM assignments a WHERE a.kind = '${connectionAssignment}' AND a.key = c.id::text AND a.worker = ${worker} AND a.epoch = ${epoch} FOR SHARE)`;

/** The ids and revisions of the connections that need an owner, oldest first: those wanted on, and those that are still to be put off. */
export async function listConnectionsToOwn(
  database: Queryable,
  channels: readonly ChannelCode[],
): Promise<{ id: string; revision: number }[]> {
  const statement = {
    name: "connections-to-own",
    text: "SELECT id, revision FROM connections WHERE channel = ANY($1) AND (desired = 'on' OR state <> 'off') ORDER BY id",
    values: [channels],
  };
  return (await database.query<{ id: string; revision: number }>(statement)).rows;
}

/** A connection's row, or `null` when there is none. */
export async function loadConnection(
  database: Queryable,
  id: string,
): Promise<OwnedConnection | null> {
  return (
    (
      await database.query<OwnedConnection & { [column: string]: unknown }>({
        name: "connections-load",
        text: `SELECT ${columns} FROM connections WHERE id = $1`,
        values: [id],
      })
    ).rows[0] ?? null
  );
}

/** The connections of a channel that are wanted on and have one of these addresses: of one address at most one live and one of the sandbox. */
export async function findConnectionsByAddress(
  database: Queryable,
  channel: ChannelCode,
  addresses: readonly string[],
): Promise<OwnedConnection[]> {
  if (addresses.length === 0) return [];
  const { rows } = await database.query<OwnedConnection & { [column: string]: unknown }>({
    name: "connections-by-address",
    text: `SELECT ${columns} FROM connections WHERE channel = $1 AND environment IN ('live', 'sandbox') AND address = ANY($2) AND desired = 'on'`,
    values: [channel, addresses],
  });
  return rows;
}

/** Writes a state and its reason. `false` when the connection is no longer this owner's, or its row has another revision: then nothing was written. */
export async function reportConnection(
  database: Queryable,
  fence: ConnectionFence,
  report: ConnectionReport,
): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "connections-report",
    text: `UPDATE connections c SET state = $4, reason = $5, since = CASE WHEN c.state = $4 THEN c.since ELSE now() END
           WHERE c.id = $1 AND ($6::bigint IS NULL OR c.revision = $6) AND EXISTS ${heldBy("$2", "$3")}`,
    values: [
      fence.connectionId,
      fence.worker,
      fence.epoch,
      report.state,
      report.reason,
      report.revision ?? null,
    ],
  });
  return rowCount === 1;
}

/**
 * Claims a provider's account for a connection and notes what is shown of it. `false` when the connection is no longer this owner's.
 * Throws a unique violation of `connections_one_per_address` when another connection holds the account.
 */
export async function identifyConnection(
  database: Queryable,
  fence: ConnectionFence,
  account: { address: string; display: Readonly<Record<string, unknown>> },
): Promise<boolean> {
  const { rowCount } = await database.query({
    name: "connections-identify",
    text: `UPDATE connections c SET address = $4, display = $5 WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}`,
    values: [fence.connectionId, fence.worker, fence.epoch, account.address, account.display],
  });
  return rowCount === 1;
}

/** Seals anew what a connector replaced. `false` when the connection is no longer this owner's. The revision stays: its owner wrote it. */
export async function replaceCredentials(
  database: Queryable,
  fence: ConnectionFence,
  credentialsSealed: string,
): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `UPDATE connections c SET credentials_sealed = $4 WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")}`,
    values: [fence.connectionId, fence.worker, fence.epoch, credentialsSealed],
  });
  return rowCount === 1;
}
