// Recovering: attempts that nobody will finish. At a take-over they become uncertain; those that were never begun are given back.
import type { Database } from "@thikaa/db";
import type { ChannelCode, MessageReason, Outcome } from "@thikaa/schema";
import { partPlan } from "@thikaa/schema";
import type { BegunAttempt } from "./claim-types.ts";
import { settle } from "./settle.ts";

interface OwnedConnection {
  readonly storeId: string;
  readonly connectionId: string;
  readonly epoch: number;
}

export interface Recovered {
  readonly recovered: number;
  /** Stores whose events wait for numbers: ring `unnumbered` for them. */
  readonly eventsFor: string[];
}

interface OpenAttempt {
  readonly id: string;
  readonly message_id: string;
  readonly part: number;
  readonly payload: unknown;
  readonly part_count: number;
  readonly channel: ChannelCode;
  readonly address: string;
  readonly deadline_at: Date;
}

/** Called by a connection's new owner before its first claim. Tells how many attempts were left open by earlier owners. */
export async function recoverClaims(
  database: Database,
  owner: OwnedConnection,
): Promise<Recovered> {
  const { rows } = await database.query<OpenAttempt & { [column: string]: unknown }>({
    text: `${openAttempts} AND q.epoch < $3`,
    values: [owner.connectionId, owner.storeId, owner.epoch],
  });
  return settleAll({ database, owner, rows, outcome: { class: "uncertain", reason: workerLost } });
}

/**
 * Gives back what a claim began without our knowing: its commit was lost on the way, and the provider was never called.
 * `known` are the messages of this connection that are being sent. Called by its owner after a claim that threw.
 */
export async function releaseUnbegun(
  database: Database,
  owner: OwnedConnection & { readonly known: readonly string[] },
): Promise<Recovered> {
  const { rows } = await database.query<OpenAttempt & { [column: string]: unknown }>({
    text: `${openAttempts} AND q.epoch = $3 AND q.message_id <> ALL($4)`,
    values: [owner.connectionId, owner.storeId, owner.epoch, owner.known],
  });
  return settleAll({
    database,
    owner,
    rows,
    outcome: { class: "unavailable", reason: notBegun, asked: false },
  });
}

async function settleAll(found: {
  database: Database;
  owner: OwnedConnection;
  rows: readonly OpenAttempt[];
  outcome: Outcome;
}): Promise<Recovered> {
  const { database, owner, rows, outcome } = found;
  const { eventsFor } = await settle(
    database,
    rows.map((row) => ({ attempt: toAttempt(row, owner), outcome })),
  );
  return { recovered: rows.length, eventsFor };
}

function toAttempt(row: OpenAttempt, owner: OwnedConnection): BegunAttempt {
  return {
    attemptId: row.id,
    storeId: owner.storeId,
    connectionId: owner.connectionId,
    messageId: row.message_id,
    channel: row.channel,
    to: row.address,
    part: partPlan.parse({ n: row.part, payload: row.payload }),
    partCount: row.part_count,
    deadlineAt: row.deadline_at,
    more: false,
  };
}

const workerLost: MessageReason = {
  code: "worker_lost",
  message: "The process that was sending this message ended before it could tell the outcome.",
  provider_code: null,
  provider_message: null,
};

const notBegun: MessageReason = {
  code: "not_begun",
  message: "The database was away when this was about to be sent; it is tried again.",
  provider_code: null,
  provider_message: null,
};

const openAttempts = `
  SELECT a.id, q.message_id, a.part, p.payload, m.channel, q.address, q.deadline_at,
    (SELECT count(*)::int FROM parts own WHERE own.store_id = q.store_id AND own.message_id = q.message_id) AS part_count
  FROM send_queue q
  JOIN attempts a ON a.store_id = q.store_id AND a.subject_id = q.message_id AND a.number = q.attempts AND a.outcome IS NULL
  JOIN parts p ON p.store_id = q.store_id AND p.message_id = q.message_id AND p.n = a.part
  JOIN messages m ON m.store_id = q.store_id AND m.id = q.message_id
  WHERE q.connection_id = $1 AND q.store_id = $2 AND q.worker IS NOT NULL`;
