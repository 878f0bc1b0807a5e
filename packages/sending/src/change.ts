// Commands about a message: an edit, a deletion, a reaction or a mark of reading is a message of its own, queued behind what was sent before it.
import type { Bus } from "@thikaa/bus";
import { insertEvents, shownStatus } from "@thikaa/db";
import type { Database, Queryable } from "@thikaa/db";
import { limits, newId, toWireId } from "@thikaa/schema";
import type { ChangeAnswer, MessageChange, MessageStatus, OutboundContent } from "@thikaa/schema";
import { findUnmarked, lockTarget } from "./change-target.ts";
import type { ChangeTarget } from "./change-target.ts";
import { findStoredAnswer, isLockTimeout } from "./idempotency.ts";
import { statusEvent } from "./message-events.ts";

/** What is to become of a message. */
export type Change =
  | { readonly kind: "edit"; readonly text: string }
  | { readonly kind: "delete" }
  /** `null` takes our reaction back. */
  | { readonly kind: "react"; readonly emoji: string | null }
  /** Marks it, and what came in before it, as read. */
  | { readonly kind: "read" };

export interface ChangeRequest {
  readonly target: ChangeTarget;
  readonly change: Change;
  readonly idempotency: { readonly key: string; readonly fingerprint: Buffer } | null;
}

export type ChangeResult =
  | { readonly kind: "accepted" | "replayed"; readonly answer: ChangeAnswer }
  | { readonly kind: "idempotency_mismatch" | "idempotency_in_progress" }
  /** The message can't be changed, and why, in plain words. */
  | { readonly kind: "conflict"; readonly message: string };

/** A stuck key or message holds a request up for no longer than this. */
const lockTimeoutMs = 1_000;

/**
 * Accepts a command: when it resolves to `accepted`, the command is durably stored and costs nothing. A message is deleted
 * once, and marked as read once: asking again gives the first command. Throws when PostgreSQL can't commit.
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
    ring(parts.bus, request.target, { commandId, content: decided.content });
    return { kind: "accepted", answer: decided.answer };
  } catch (error) {
    if (isLockTimeout(error)) return { kind: "idempotency_in_progress" };
    throw error;
  }
}

type Decision =
  | ChangeResult
  | {
      readonly kind: "written";
      readonly answer: ChangeAnswer;
      readonly content: CommandContent;
    }
  | { readonly kind: "repeat" };

async function decide(
  transaction: Queryable,
  request: ChangeRequest,
  commandId: string,
): Promise<Decision> {
  const { target, change } = request;
  const answer = answerOf(target, commandId, "queued");
  if (!(await takeKey(transaction, request, answer))) return { kind: "repeat" };
  const obstacle = await lockTarget(transaction, target, change.kind);
  if (obstacle !== null) return refuse(transaction, request, obstacle);
  const once = change.kind === "read" ? "read" : "delete";
  const first = await findCommand(transaction, target, once);
  if (first !== null && change.kind !== once)
    return refuse(transaction, request, "The message was deleted.");
  if (first !== null) {
    const firstAnswer = answerOf(target, first.id, first.status);
    await keepAnswer(transaction, request, firstAnswer);
    return { kind: "accepted", answer: firstAnswer };
  }
  const content = await contentOf(transaction, request);
  if (content === null)
    return refuse(transaction, request, "The provider has no id of this message to mark it by.");
  await writeCommand(transaction, target, { commandId, content });
  return { kind: "written", answer, content };
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

/** The instance's command of this kind for the message that was done, or may be yet. */
async function findCommand(
  transaction: Queryable,
  target: ChangeTarget,
  kind: "delete" | "read",
): Promise<{ id: string; status: MessageStatus } | null> {
  const { rows } = await transaction.query<{ id: string; status: MessageStatus }>({
    name: "change-first",
    text: `SELECT m.id, ${shownStatus} FROM message_changes c JOIN messages m ON m.store_id = c.store_id AND m.id = c.command_id
           WHERE c.store_id = $1 AND c.message_id = $2 AND c.kind = $3 AND m.instance_id = $4 AND m.status NOT IN ('failed', 'cancelled') LIMIT 1`,
    values: [target.storeId, target.messageId, kind, target.instanceId],
  });
  return rows[0] ?? null;
}

type CommandContent = OutboundContent & { readonly change: MessageChange };

interface Command {
  readonly commandId: string;
  readonly content: CommandContent;
}

/** `null` when the provider has no id of what is to be marked. */
async function contentOf(
  transaction: Queryable,
  { target, change }: ChangeRequest,
): Promise<CommandContent | null> {
  const { messageId: message_id } = target;
  switch (change.kind) {
    case "edit":
      return { text: change.text, media: null, change: { kind: "edit", message_id } };
    case "delete":
      return { text: null, media: null, change: { kind: "delete", message_id } };
    case "react": {
      const { kind, emoji } = change;
      return { text: null, media: null, change: { kind, message_id, emoji } };
    }
    case "read": {
      const ids = await findUnmarked(transaction, target);
      const read = { kind: "read", message_id, provider_message_ids: ids } as const;
      return ids.length === 0 ? null : { text: null, media: null, change: read };
    }
  }
}

async function writeCommand(
  transaction: Queryable,
  target: ChangeTarget,
  { commandId, content }: Command,
): Promise<void> {
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
      content.change.kind,
      target.instanceId,
      target.channel,
      JSON.stringify(content),
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

function ring(bus: Bus, target: ChangeTarget, { commandId, content }: Command): void {
  const { storeId, connectionId, channel, to } = target;
  bus.ring(
    { ring: "out", to: [channel, connectionId] },
    {
      store_id: storeId,
      connection_id: connectionId,
      message_id: commandId,
      channel,
      to,
      content,
    },
  );
  bus.ringUnnumbered([storeId]);
}
