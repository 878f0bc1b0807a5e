// Claiming: a connection's owner takes the heads of lanes, and begins their next attempts.
import { newId, partPlan } from "@thikaa/schema";
import type { ChannelCode, OutboundContent, PartPlan } from "@thikaa/schema";
import type { Database, Queryable } from "@thikaa/db";
import { z } from "zod";
import type { BegunAttempt, ClaimRequest, PlanMessage } from "./claim-types.ts";
import { attemptColumns, insertAttempts } from "./attempts.ts";
import { finish } from "./finish.ts";
import { idRange, longestLifeDays, recentIds } from "./id-range.ts";
import { headOfLane } from "./lanes.ts";

interface ClaimedRow {
  readonly store_id: string;
  readonly message_id: string;
  readonly connection_id: string;
  readonly epoch: number;
  readonly attempts: number;
  readonly address: string;
  readonly deadline_at: Date;
  readonly uncertain: boolean;
  readonly more: boolean;
  readonly channel: ChannelCode;
  readonly content: OutboundContent;
}

interface PartRow {
  readonly message_id: string;
  readonly n: number;
  readonly payload: unknown;
  readonly status: string;
}

/**
 * Claims the head of each lane that was asked for, where it may be sent now, and begins an attempt for each, in one
 * transaction: when it resolves, the attempts are committed and the provider may be called. Connections that are no longer
 * the worker's under their epoch are passed over. A plan that throws fails its own message (`internal_error`) and no other.
 * When it throws, it is unknown whether the attempts were begun: `releaseUnbegun` puts that right.
 */
export async function claim(database: Database, request: ClaimRequest): Promise<BegunAttempt[]> {
  return database.transaction(async (transaction) => {
    const claimed = await claimHeads(transaction, request);
    if (claimed.length === 0) return [];
    const stored = await readPlans(transaction, claimed);
    const { planned, broken } = planAll(claimed, stored, request.plan);
    await failBroken(transaction, broken);
    const { sameWhenRepeated = [] } = request;
    await flagRepeats(
      transaction,
      claimed.filter(({ channel }) => !sameWhenRepeated.includes(channel)),
    );
    const begun = planned.map((one) => ({ ...one, attempt: toAttempt(one, sameWhenRepeated) }));
    await begin(transaction, request.worker, begun);
    return begun.map(({ attempt }) => attempt);
  });
}

async function claimHeads(
  transaction: Queryable,
  { worker, claims }: ClaimRequest,
): Promise<ClaimedRow[]> {
  const lanes = claims.flatMap(({ connectionId, addresses }) =>
    addresses.map((address) => ({ connectionId, address })),
  );
  const { rows } = await transaction.query<ClaimedRow & { [column: string]: unknown }>({
    ...claimStatement,
    values: [
      worker,
      claims.map(({ connectionId }) => connectionId),
      claims.map(({ epoch }) => epoch),
      lanes.map(({ connectionId }) => connectionId),
      lanes.map(({ address }) => address),
      ...recentIds(longestLifeDays),
    ],
  });
  return rows;
}

interface Planned {
  readonly row: ClaimedRow;
  readonly parts: readonly PartPlan[];
  readonly next: PartPlan;
  readonly isNew: boolean;
}

interface Broken {
  readonly row: ClaimedRow;
  readonly problem: string;
}

function planAll(
  claimed: readonly ClaimedRow[],
  stored: ReadonlyMap<string, PartRow[]>,
  plan: PlanMessage,
): { planned: Planned[]; broken: Broken[] } {
  const planned: Planned[] = [];
  const broken: Broken[] = [];
  for (const row of claimed) {
    try {
      const rows = stored.get(row.message_id);
      planned.push(rows === undefined ? planAnew(row, plan) : planOn(row, rows));
    } catch (error) {
      broken.push({ row, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return { planned, broken };
}

function planAnew(row: ClaimedRow, plan: PlanMessage): Planned {
  const parts = z
    .array(partPlan)
    .parse(plan({ to: row.address, content: row.content, messageId: row.message_id }))
    .map((part, index) => ({ ...part, n: index + 1 }));
  const [next] = parts;
  if (next === undefined) throw new Error("the plan is empty");
  return { row, parts, next, isNew: true };
}

/** A message that was begun before goes on at the first part that was not sent. */
function planOn(row: ClaimedRow, rows: readonly PartRow[]): Planned {
  const parts = rows.map(({ n, payload }) => partPlan.parse({ n, payload }));
  const unsent = rows.findIndex(({ status }) => !["sent", "delivered", "read"].includes(status));
  const next = parts[unsent];
  if (next === undefined) throw new Error("the plan has no part left to send");
  return { row, parts, next, isNew: false };
}

function toAttempt(
  { row, parts, next }: Planned,
  sameWhenRepeated: readonly ChannelCode[],
): BegunAttempt {
  return {
    attemptId: newId(),
    storeId: row.store_id,
    connectionId: row.connection_id,
    messageId: row.message_id,
    channel: row.channel,
    to: row.address,
    part: next,
    partCount: parts.length,
    deadlineAt: row.deadline_at,
    more: row.more,
    sameWhenRepeated: sameWhenRepeated.includes(row.channel),
  };
}

/** The plans of messages that were begun before; a first attempt and its plan are always written together. */
async function readPlans(
  transaction: Queryable,
  claimed: readonly ClaimedRow[],
): Promise<Map<string, PartRow[]>> {
  const begun = claimed.filter((row) => row.attempts > 1);
  if (begun.length === 0) return new Map();
  const { rows } = await transaction.query<PartRow & { [column: string]: unknown }>({
    name: "claim-plans",
    text: `SELECT p.message_id, p.n, p.payload, p.status FROM parts p
           JOIN unnest($1::uuid[], $2::uuid[]) AS given (store_id, message_id) USING (store_id, message_id) WHERE p.message_id BETWEEN $3 AND $4 ORDER BY p.message_id, p.n`,
    values: [
      begun.map((row) => row.store_id),
      begun.map((row) => row.message_id),
      ...idRange(begun.map((row) => row.message_id)),
    ],
  });
  return Map.groupBy(rows, (row) => row.message_id);
}

/** Writes the plans of messages that have none yet, and the rows of the attempts that are about to be made. */
async function begin(
  transaction: Queryable,
  worker: string,
  begun: readonly (Planned & { readonly attempt: BegunAttempt })[],
): Promise<void> {
  if (begun.length === 0) return;
  const parts = begun
    .filter(({ isNew }) => isNew)
    .flatMap(({ row, parts: own }) => own.map((part) => ({ ...part, row })));
  await transaction.query({
    name: "claim-begin",
    text: `WITH planned AS (
             INSERT INTO parts (store_id, message_id, n, connection_id, address, payload)
             SELECT * FROM unnest($8::uuid[], $9::uuid[], $10::int[], $11::uuid[], $12::text[], $13::jsonb[])
           )
           ${insertAttempts}`,
    values: [
      ...attemptColumns(
        worker,
        begun.map(({ row, attempt }) => ({ attempt, number: row.attempts, epoch: row.epoch })),
      ),
      parts.map(({ row }) => row.store_id),
      parts.map(({ row }) => row.message_id),
      parts.map(({ n }) => n),
      parts.map(({ row }) => row.connection_id),
      parts.map(({ row }) => row.address),
      parts.map(({ payload }) => JSON.stringify(payload)),
    ],
  });
}

async function failBroken(transaction: Queryable, broken: readonly Broken[]): Promise<void> {
  await finish(
    transaction,
    broken.map(({ row, problem }) => ({
      storeId: row.store_id,
      messageId: row.message_id,
      status: "failed",
      reason: {
        code: "internal_error",
        message: `The message could not be prepared: ${problem}`,
        provider_code: null,
        provider_message: null,
      },
    })),
  );
}

/**
 * A further attempt after an uncertain one may reach the customer twice: it is flagged in the transaction that begins it.
 * A command that is made again changes nothing more: the words, the reaction and the mark are the same.
 */
async function flagRepeats(transaction: Queryable, claimed: readonly ClaimedRow[]): Promise<void> {
  const repeats = claimed.filter((row) => row.uncertain && row.content.change === undefined);
  if (repeats.length === 0) return;
  await transaction.query({
    name: "claim-flag-repeats",
    text: `UPDATE messages m SET possible_duplicate = true, updated_at = now()
           FROM unnest($1::uuid[], $2::uuid[]) AS given (store_id, id) WHERE m.store_id = given.store_id AND m.id = given.id AND NOT m.final`,
    values: [repeats.map((row) => row.store_id), repeats.map((row) => row.message_id)],
  });
}

// The owner's row stays locked until the claim is committed: a take-over comes before it, and it claims nothing, or after it, and recovers it.
export const claimStatement = {
  name: "claim",
  text: `WITH owned AS MATERIALIZED (
           SELECT given.connection_id, given.epoch FROM unnest($2::uuid[], $3::bigint[]) AS given (connection_id, epoch)
           JOIN assignments a ON a.kind = 'connection' AND a.key = given.connection_id::text AND a.worker = $1 AND a.epoch = given.epoch
           JOIN workers w ON w.id = a.worker AND w.expires_at > now() FOR SHARE OF a
         ), heads AS MATERIALIZED (
           SELECT head.message_id, owned.epoch FROM unnest($4::uuid[], $5::text[]) AS lane (connection_id, address)
           JOIN owned USING (connection_id) CROSS JOIN LATERAL (${headOfLane}) head WHERE head.claimable
         ), due AS (
           SELECT q.ctid AS place, q.uncertain, heads.epoch FROM send_queue q JOIN heads USING (message_id) WHERE q.worker IS NULL FOR UPDATE OF q SKIP LOCKED
         ), claimed AS (
           UPDATE send_queue q SET worker = $1, epoch = due.epoch, attempts = q.attempts + 1, uncertain = false FROM due WHERE q.ctid = due.place
           RETURNING q.store_id, q.message_id, q.connection_id, q.epoch, q.attempts, q.address, q.seq, q.deadline_at, due.uncertain
         )
         SELECT claimed.store_id, claimed.message_id, claimed.connection_id, claimed.epoch, claimed.attempts, claimed.address, claimed.deadline_at, claimed.uncertain,
           m.channel, m.content, EXISTS (
             SELECT 1 FROM send_queue later WHERE later.connection_id = claimed.connection_id AND NOT later.scheduled
               AND later.address = claimed.address AND later.seq > claimed.seq) AS more
         FROM claimed JOIN messages m ON m.store_id = claimed.store_id AND m.id = claimed.message_id AND m.id BETWEEN $6 AND $7`,
};
