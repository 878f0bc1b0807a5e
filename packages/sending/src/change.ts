// Changing a message that was sent: an edit or a deletion is a message of its own, queued behind the one that it changes.
import type { Bus } from "@thikaa/bus";
import { insertEvents, shownStatus, storeShard } from "@thikaa/db";
import type { Database, Queryable } from "@thikaa/db";
import { limits, newId, toWireId } from "@thikaa/schema";
import type {
  ChangeAnswer,
  ChannelCode,
  MessageChange,
  MessageStatus,
  OutboundContent,
} from "@thikaa/schema";
import { findStoredAnswer, isLockTimeout } from "./idempotency.ts";
import { statusEvent } from "./message-events.ts";

/** A message of an instance, as far as changing it goes. */
export interface ChangeTarget {
  readonly storeId: string;
  readonly instanceId: string;
  readonly messageId: string;
  readonly connectionId: string;
  readonly channel: ChannelCode;
  readonly to: string;
}

export interface ChangeRequest {
  readonly target: ChangeTarget;
  readonly kind: MessageChange["kind"];
  /** The new text of an edit. */
  readonly text: string | null;
  readonly idempotency: { readonly key: string; readonly fingerprint: Buffer } | null;
}

export type ChangeResult =
  | { readonly kind: "accepted" | "replayed"; readonly answer: ChangeAnswer }
  | { readonly kind: "idempotency_mismatch" | "idempotency_in_progress" }
  /** The message can't be changed, and why, in plain words. */
  | { readonly kind: "conflict"; readonly message: string };

/** A stuck key or message holds a request up for no longer than this. */
const lockTimeoutMs = 1_000;

/** Finds an outbound message of an instance; `null` when it is not that instance's. */
export async function findChangeTarget(
  database: Queryable,
  where: Pick<ChangeTarget, "storeId" | "instanceId" | "messageId">,
): Promise<ChangeTarget | null> {
  const { rows } = await database.query<{
    connection_id: string;
    channel: ChannelCode;
    address: string;
  }>({
    name: "change-target",
    text: "SELECT connection_id, channel, address FROM messages WHERE store_id = $1 AND id = $2 AND instance_id = $3 AND direction = 'out'",
    values: [where.storeId, where.messageId, where.instanceId],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return { ...where, connectionId: row.connection_id, channel: row.channel, to: row.address };
}

/**
 * Accepts a command: when it resolves to `accepted`, the command is durably stored and costs nothing. A message is deleted
 * once: asking again gives the first command. Throws when PostgreSQL can't commit.
 */
export async function acceptChange(
  parts: { database: Database; bus: Bus },
  request: ChangeRequest,
): Promise<ChangeResult> {
  const commandId = newId();
  try {
    const decided = await parts.database.transaction(
      (transaction) => decide(transaction, request, commandId),
      { lockTimeoutMs },
    );
    if (decided.kind === "repeat") return await resolveRepeat(parts.database, request);
    if (decided.kind !== "written") return decided;
    ring(parts.bus, request, commandId);
    return { kind: "accepted", answer: decided.answer };
  } catch (error) {
    if (isLockTimeout(error)) return { kind: "idempotency_in_progress" };
    throw error;
  }
}

type Decision =
  | ChangeResult
  | { readonly kind: "written"; readonly answer: ChangeAnswer }
  | { readonly kind: "repeat" };

async function decide(
  transaction: Queryable,
  request: ChangeRequest,
  commandId: string,
): Promise<Decision> {
  const answer = answerOf(request.target, commandId, "queued");
  if (!(await takeKey(transaction, request, answer))) return { kind: "repeat" };
  const obstacle = await lockTarget(transaction, request.target);
  if (obstacle !== null) return refuse(transaction, request, obstacle);
  const deletion = await findDeletion(transaction, request.target);
  if (deletion !== null && request.kind === "edit")
    return refuse(transaction, request, "The message was deleted.");
  if (deletion !== null) {
    const first = answerOf(request.target, deletion.id, deletion.status);
    await keepAnswer(transaction, request, first);
    return { kind: "accepted", answer: first };
  }
  await writeCommand(transaction, request, commandId);
  return { kind: "written", answer };
}

function answerOf(target: ChangeTarget, commandId: string, status: MessageStatus): ChangeAnswer {
  return {
    ok: true,
    message_id: toWireId("message", commandId),
    changes: toWireId("message", target.messageId),
    channel: target.channel,
    to: target.to,
    status,
  };
}

async function takeKey(
  transaction: Queryable,
  { target, idempotency }: ChangeRequest,
  answer: ChangeAnswer,
): Promise<boolean> {
  if (idempotency === null) return true;
  const { rowCount } = await transaction.query({
    text: `INSERT INTO idempotency_keys (store_id, instance_id, key, fingerprint, message_id, answer)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    values: [
      target.storeId,
      target.instanceId,
      idempotency.key,
      idempotency.fingerprint,
      target.messageId,
      JSON.stringify(answer),
    ],
  });
  return rowCount === 1;
}

async function keepAnswer(
  transaction: Queryable,
  { target, idempotency }: ChangeRequest,
  answer: ChangeAnswer,
): Promise<void> {
  if (idempotency === null) return;
  await transaction.query({
    text: "UPDATE idempotency_keys SET answer = $4 WHERE store_id = $1 AND instance_id = $2 AND key = $3",
    values: [target.storeId, target.instanceId, idempotency.key, JSON.stringify(answer)],
  });
}

/** A refusal is never stored: its key is given back. */
async function refuse(
  transaction: Queryable,
  { target, idempotency }: ChangeRequest,
  message: string,
): Promise<ChangeResult> {
  if (idempotency !== null)
    await transaction.query({
      text: "DELETE FROM idempotency_keys WHERE store_id = $1 AND instance_id = $2 AND key = $3",
      values: [target.storeId, target.instanceId, idempotency.key],
    });
  return { kind: "conflict", message };
}

async function resolveRepeat(
  database: Database,
  { target, idempotency }: ChangeRequest,
): Promise<ChangeResult> {
  const stored =
    idempotency === null ? null : await findStoredAnswer(database, { ...target, ...idempotency });
  if (stored === null) return { kind: "idempotency_in_progress" };
  if (stored.kind !== "replayed") return { kind: "idempotency_mismatch" };
  // The fingerprint tells the action too: what is stored under it is an answer of this action.
  return {
    kind: "replayed",
    answer: { changes: toWireId("message", target.messageId), ...stored.answer },
  };
}

/** Locks the message, so that commands for it are decided one after the other; says what stands in the way of changing it. */
async function lockTarget(transaction: Queryable, target: ChangeTarget): Promise<string | null> {
  const { rows } = await transaction.query<{
    status: MessageStatus;
    is_command: boolean;
    has_sent: boolean;
  }>({
    name: "change-lock",
    text: `SELECT status, content ? 'change' AS is_command,
             EXISTS (SELECT 1 FROM parts p WHERE p.store_id = m.store_id AND p.message_id = m.id AND p.status IN ('sent', 'delivered', 'read')) AS has_sent
           FROM messages m WHERE store_id = $1 AND id = $2 FOR UPDATE`,
    values: [target.storeId, target.messageId],
  });
  const [row] = rows;
  if (row === undefined || row.is_command)
    return "This is a command; name the message that it changed.";
  if (row.status === "scheduled")
    return "The message is not sent yet: cancel it with action=cancel, and send another one.";
  if ((row.status === "failed" || row.status === "cancelled") && !row.has_sent)
    return `The message is ${row.status}: there is nothing to change.`;
  return null;
}

async function findDeletion(
  transaction: Queryable,
  target: ChangeTarget,
): Promise<{ id: string; status: MessageStatus } | null> {
  const { rows } = await transaction.query<{ id: string; status: MessageStatus }>({
    name: "change-deletion",
    text: `SELECT m.id, ${shownStatus} FROM message_changes c JOIN messages m ON m.store_id = c.store_id AND m.id = c.command_id
           WHERE c.store_id = $1 AND c.message_id = $2 AND c.kind = 'delete' AND m.status NOT IN ('failed', 'cancelled') LIMIT 1`,
    values: [target.storeId, target.messageId],
  });
  return rows[0] ?? null;
}

async function writeCommand(
  transaction: Queryable,
  request: ChangeRequest,
  commandId: string,
): Promise<void> {
  const { target, kind } = request;
  await transaction.query({
    name: "change-write",
    text: `WITH queued AS (
             INSERT INTO send_queue (store_id, message_id, connection_id, address, deadline_at) VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')
           ), noted AS (
             INSERT INTO message_changes (store_id, message_id, command_id, kind) VALUES ($1, $6, $2, $7)
           )
           INSERT INTO messages (store_id, id, direction, origin, instance_id, connection_id, channel, address, type, content, status, deadline_at)
           VALUES ($1, $2, 'out', 'api', $8, $3, $9, $4, $7, $10, 'queued', now() + $5 * interval '1 second')`,
    values: [
      target.storeId,
      commandId,
      target.connectionId,
      target.to,
      limits.ttlSeconds.default,
      target.messageId,
      kind,
      target.instanceId,
      target.channel,
      JSON.stringify(contentOf(request)),
    ],
  });
  await insertEvents(transaction, [
    statusEvent({
      store_id: target.storeId,
      id: commandId,
      instance_id: target.instanceId,
      connection_id: target.connectionId,
      channel: target.channel,
      address: target.to,
      client_reference: null,
      status: "queued",
      final: false,
      reason: null,
      refunded: false,
      possible_duplicate: false,
    }),
  ]);
}

function contentOf({ target, kind, text }: ChangeRequest): OutboundContent {
  return { text, media: null, change: { kind, message_id: target.messageId } };
}

function ring(bus: Bus, request: ChangeRequest, commandId: string): void {
  const { storeId, connectionId, channel, to } = request.target;
  bus.ring(
    { ring: "out", to: [channel, connectionId] },
    {
      store_id: storeId,
      connection_id: connectionId,
      message_id: commandId,
      channel,
      to,
      content: contentOf(request),
    },
  );
  const shard = storeShard(storeId);
  bus.ring({ ring: "unnumbered", to: [shard] }, { shard });
}
