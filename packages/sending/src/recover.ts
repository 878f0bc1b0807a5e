// Recovering: at a take-over, attempts of an earlier epoch become uncertain, and their messages go on by the connection's policy.
import type { Database } from "@thikaa/db";
import type { ChannelCode, MessageReason } from "@thikaa/schema";
import { partPlan } from "@thikaa/schema";
import type { BegunAttempt } from "./claim-types.ts";
import { settle } from "./settle.ts";

const reason: MessageReason = {
  code: "worker_lost",
  message: "The process that was sending this message ended before it could tell the outcome.",
  provider_code: null,
  provider_message: null,
};

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

/** Called by a connection's new owner before its first claim. Returns how many attempts were left open by earlier owners. */
export async function recoverClaims(
  database: Database,
  owner: { storeId: string; connectionId: string; epoch: number },
): Promise<{ recovered: number; eventsFor: string[] }> {
  const { rows } = await database.query<OpenAttempt>({
    ...openAttempts,
    values: [owner.connectionId, owner.epoch, owner.storeId],
  });
  const finished = rows.map((row) => ({
    attempt: toAttempt(row, owner),
    outcome: { class: "uncertain" as const, reason },
  }));
  const { eventsFor } = await settle(database, finished);
  return { recovered: rows.length, eventsFor };
}

function toAttempt(
  row: OpenAttempt,
  owner: { storeId: string; connectionId: string },
): BegunAttempt {
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
  };
}

const openAttempts = {
  text: `SELECT a.id, q.message_id, a.part, p.payload, m.parts_planned AS part_count, m.channel, q.address, q.deadline_at
         FROM send_queue q
         JOIN attempts a ON a.store_id = q.store_id AND a.subject_id = q.message_id AND a.number = q.attempts AND a.outcome IS NULL
         JOIN parts p ON p.store_id = q.store_id AND p.message_id = q.message_id AND p.n = a.part
         JOIN messages m ON m.store_id = q.store_id AND m.id = q.message_id
         WHERE q.connection_id = $1 AND q.worker IS NOT NULL AND q.epoch < $2 AND q.store_id = $3`,
};
