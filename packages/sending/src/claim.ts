// Claiming: a connection's owner takes the messages that are due, at most one a recipient, and begins their next attempts.
import { newId, partPlan } from "@thikaa/schema";
import type { ChannelCode, OutboundContent, PartPlan } from "@thikaa/schema";
import type { Database, Queryable } from "@thikaa/db";
import { z } from "zod";
import type { BegunAttempt, ClaimRequest, PlanMessage } from "./claim-types.ts";
import { beginAttempts } from "./attempts.ts";
import { finish } from "./finish.ts";

interface ClaimedRow {
  readonly message_id: string;
  readonly attempts: number;
  readonly address: string;
  readonly deadline_at: Date;
  readonly uncertain: boolean;
}

interface MessageRow {
  readonly id: string;
  readonly channel: ChannelCode;
  readonly content: OutboundContent;
  readonly parts_planned: number | null;
}

interface PartRow {
  readonly message_id: string;
  readonly n: number;
  readonly payload: unknown;
  readonly status: string;
}

/**
 * Claims due messages of a connection under the owner's epoch and begins an attempt for each, in one transaction:
 * when it resolves, the attempts are committed and the provider may be called. A row of an assignment that is no longer
 * ours is not claimed. A plan that throws fails its own message (`internal_error`) and no other.
 */
export async function claim(database: Database, request: ClaimRequest): Promise<BegunAttempt[]> {
  return database.transaction(async (transaction) => {
    await transaction.query({ ...promoteScheduled, values: [request.connectionId] });
    const { rows: claimed } = await transaction.query<ClaimedRow>({
      ...claimStatement,
      values: [request.connectionId, request.worker, request.epoch, request.limit],
    });
    if (claimed.length === 0) return [];
    const messages = await readMessages(transaction, request.storeId, claimed);
    const stored = await readParts(transaction, request.storeId, messages);
    const { planned, broken } = planAll({ claimed, messages, stored, plan: request.plan });
    await storePlans(
      transaction,
      request,
      planned.filter(({ isNew }) => isNew),
    );
    await finish(
      transaction,
      broken.map(({ messageId, problem }) => ({
        storeId: request.storeId,
        messageId,
        status: "failed",
        reason: {
          code: "internal_error",
          message: `The message could not be prepared: ${problem}`,
          provider_code: null,
          provider_message: null,
        },
      })),
    );
    await markSending(transaction, request.storeId, claimed);
    const begun = planned.map(({ row, message, parts, next }) => ({
      attemptId: newId(),
      storeId: request.storeId,
      connectionId: request.connectionId,
      messageId: row.message_id,
      channel: message.channel,
      to: row.address,
      part: next,
      partCount: parts.length,
      deadlineAt: row.deadline_at,
    }));
    await beginAttempts(
      transaction,
      begun.map((attempt, index) => ({ attempt, number: planned[index]?.row.attempts ?? 1 })),
      request,
    );
    return begun;
  });
}

interface Planned {
  readonly row: ClaimedRow;
  readonly message: MessageRow;
  readonly parts: readonly PartPlan[];
  readonly next: PartPlan;
  readonly isNew: boolean;
}

function planAll(input: {
  claimed: readonly ClaimedRow[];
  messages: ReadonlyMap<string, MessageRow>;
  stored: ReadonlyMap<string, PartRow[]>;
  plan: PlanMessage;
}) {
  const planned: Planned[] = [];
  const broken: { messageId: string; problem: string }[] = [];
  for (const row of input.claimed) {
    const message = input.messages.get(row.message_id);
    if (message === undefined) continue;
    try {
      const rows = input.stored.get(row.message_id);
      const parts = rows === undefined ? planOne(input.plan, row, message) : rows.map(toPartPlan);
      const unsent = rows?.find(
        (part) => part.status !== "sent" && part.status !== "delivered" && part.status !== "read",
      );
      const next = rows === undefined ? parts[0] : parts.find((part) => part.n === unsent?.n);
      if (next === undefined) throw new Error("the plan has no part left to send");
      planned.push({ row, message, parts, next, isNew: rows === undefined });
    } catch (error) {
      broken.push({
        messageId: row.message_id,
        problem: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return { planned, broken };
}

function planOne(plan: PlanMessage, row: ClaimedRow, message: MessageRow): PartPlan[] {
  const parts = z
    .array(partPlan)
    .parse(plan({ to: row.address, content: message.content, messageId: row.message_id }));
  if (parts.length === 0) throw new Error("the plan is empty");
  return parts.map((part, index) => ({ ...part, n: index + 1 }));
}

function toPartPlan(row: PartRow): PartPlan {
  return partPlan.parse({ n: row.n, payload: row.payload });
}

async function readMessages(
  transaction: Queryable,
  storeId: string,
  claimed: readonly ClaimedRow[],
): Promise<Map<string, MessageRow>> {
  const { rows } = await transaction.query<MessageRow>({
    name: "claim-messages",
    text: "SELECT id, channel, content, parts_planned FROM messages WHERE store_id = $1 AND id = ANY($2)",
    values: [storeId, claimed.map((row) => row.message_id)],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

async function readParts(
  transaction: Queryable,
  storeId: string,
  messages: ReadonlyMap<string, MessageRow>,
): Promise<Map<string, PartRow[]>> {
  const planned = [...messages.values()]
    .filter((message) => message.parts_planned !== null)
    .map((message) => message.id);
  if (planned.length === 0) return new Map();
  const { rows } = await transaction.query<PartRow>({
    name: "claim-parts",
    text: "SELECT message_id, n, payload, status FROM parts WHERE store_id = $1 AND message_id = ANY($2) ORDER BY message_id, n",
    values: [storeId, planned],
  });
  return Map.groupBy(rows, (row) => row.message_id);
}

async function storePlans(
  transaction: Queryable,
  request: ClaimRequest,
  plans: readonly Planned[],
): Promise<void> {
  const parts = plans.flatMap(({ row, parts: planned }) =>
    planned.map((part) => ({ ...part, messageId: row.message_id, address: row.address })),
  );
  if (parts.length === 0) return;
  await transaction.query({
    name: "claim-store-plans",
    text: `WITH written AS (
             INSERT INTO parts (store_id, message_id, n, connection_id, address, payload)
             SELECT $1, message_id, n, $2, address, payload FROM unnest($3::uuid[], $4::int[], $5::text[], $6::jsonb[]) AS given (message_id, n, address, payload)
             RETURNING message_id
           )
           UPDATE messages m SET parts_planned = counted.parts FROM (SELECT message_id, count(*)::int AS parts FROM written GROUP BY message_id) counted
           WHERE m.store_id = $1 AND m.id = counted.message_id`,
    values: [
      request.storeId,
      request.connectionId,
      parts.map((part) => part.messageId),
      parts.map((part) => part.n),
      parts.map((part) => part.address),
      parts.map((part) => JSON.stringify(part.payload)),
    ],
  });
}

/** A further attempt after an uncertain one may reach the customer twice: it is flagged in the transaction that begins it. */
async function markSending(
  transaction: Queryable,
  storeId: string,
  claimed: readonly ClaimedRow[],
): Promise<void> {
  await transaction.query({
    name: "claim-mark-sending",
    text: `UPDATE messages m SET status = 'sending', updated_at = now(), possible_duplicate = m.possible_duplicate OR given.uncertain
           FROM unnest($2::uuid[], $3::boolean[]) AS given (id, uncertain) WHERE m.store_id = $1 AND m.id = given.id AND NOT m.final`,
    values: [storeId, claimed.map((row) => row.message_id), claimed.map((row) => row.uncertain)],
  });
}

const promoteScheduled = {
  name: "claim-promote",
  text: "UPDATE send_queue SET scheduled = false, seq = DEFAULT WHERE connection_id = $1 AND scheduled AND due_at <= now()",
};

// The owner's row stays locked until the claim is committed: a take-over comes before it, and it claims nothing, or after it, and recovers it.
// A lane is (connection, address). A row waits while an earlier one of its lane is unfinished, unless that one has been failing for over 5 minutes.
const claimStatement = {
  name: "claim",
  text: `WITH owner AS (
           SELECT 1 FROM assignments a JOIN workers w ON w.id = a.worker
           WHERE a.kind = 'connection' AND a.key = $1::uuid::text AND a.worker = $2 AND a.epoch = $3 AND w.expires_at > now() FOR SHARE OF a
         ), due AS (
           SELECT q.message_id, q.uncertain FROM send_queue q
           WHERE q.connection_id = $1 AND q.worker IS NULL AND q.due_at <= now() AND q.deadline_at > now() AND NOT q.scheduled
             AND EXISTS (SELECT 1 FROM owner)
             AND NOT EXISTS (
               SELECT 1 FROM send_queue earlier
               WHERE earlier.connection_id = q.connection_id AND earlier.address = q.address AND earlier.seq < q.seq AND NOT earlier.scheduled
                 AND (earlier.worker IS NOT NULL OR earlier.first_failed_at IS NULL OR earlier.first_failed_at > now() - interval '5 minutes')
             )
           ORDER BY q.due_at, q.seq LIMIT $4 FOR UPDATE SKIP LOCKED
         )
         UPDATE send_queue q SET worker = $2, epoch = $3, attempts = q.attempts + 1, uncertain = false
         FROM due WHERE q.message_id = due.message_id
         RETURNING q.message_id, q.attempts, q.address, q.deadline_at, due.uncertain`,
};
