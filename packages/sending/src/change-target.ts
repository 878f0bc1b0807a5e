// The message that a command is about: found, locked, and asked whether anything stands in the command's way.
import type { Queryable } from "@thikaa/db";
import { limits } from "@thikaa/schema";
import type { ChannelCode, MessageChange, MessageStatus } from "@thikaa/schema";

type ChangeKind = MessageChange["kind"];

/** A message that an instance may name in a command. */
export interface ChangeTarget {
  readonly storeId: string;
  readonly instanceId: string;
  readonly messageId: string;
  readonly connectionId: string;
  readonly channel: ChannelCode;
  readonly to: string;
}

/**
 * Finds the message that a command names; `null` when the instance may not name it. What it sent itself may always be
 * named, what came in to its store for reactions and marks of reading.
 */
export async function findChangeTarget(
  database: Queryable,
  where: Pick<ChangeTarget, "storeId" | "instanceId" | "messageId">,
  kind: ChangeKind,
): Promise<ChangeTarget | null> {
  const { rows } = await database.query<{
    connection_id: string;
    channel: ChannelCode;
    address: string;
  }>({
    name: "change-target",
    text: `SELECT connection_id, channel, address FROM messages WHERE store_id = $1 AND id = $2
             AND (direction = 'out' AND instance_id = $3 OR direction = 'in' AND $4)`,
    values: [where.storeId, where.messageId, where.instanceId, kind === "react" || kind === "read"],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return { ...where, connectionId: row.connection_id, channel: row.channel, to: row.address };
}

interface LockedTarget {
  readonly direction: "in" | "out";
  readonly type: string;
  readonly status: MessageStatus | "received";
  readonly is_command: boolean;
  readonly has_sent: boolean;
  readonly has_provider_id: boolean;
  readonly was_deleted: boolean;
}

/** Locks the message, so that commands for it are decided one after the other; says what stands in the way of this one. */
export async function lockTarget(
  transaction: Queryable,
  target: ChangeTarget,
  kind: ChangeKind,
): Promise<string | null> {
  const { rows } = await transaction.query<LockedTarget & { [column: string]: unknown }>({
    name: "change-lock",
    text: `SELECT direction, type, status, content ? 'change' AS is_command, provider_message_id IS NOT NULL AS has_provider_id,
             EXISTS (SELECT 1 FROM parts p WHERE p.store_id = m.store_id AND p.message_id = m.id AND p.status IN ('sent', 'delivered', 'read')) AS has_sent,
             EXISTS (SELECT 1 FROM messages d WHERE d.connection_id = m.connection_id AND d.provider_message_id = m.provider_message_id AND d.address = m.address
               AND d.direction = 'in' AND d.type = 'delete') AS was_deleted
           FROM messages m WHERE store_id = $1 AND id = $2 FOR UPDATE`,
    values: [target.storeId, target.messageId],
  });
  const [row] = rows;
  if (row === undefined || row.is_command)
    return "This is a command; name the message that it is about.";
  return row.direction === "in" ? obstacleOfReceived(row, kind) : obstacleOfSent(row, kind);
}

function obstacleOfReceived(row: LockedTarget, kind: ChangeKind): string | null {
  if (kind !== "react") return null;
  if (row.was_deleted) return "The message was deleted.";
  if (row.type === "reaction") return "This is a reaction; name the message that it is about.";
  return row.has_provider_id
    ? null
    : "The provider has no id of this message by which it could be reacted to.";
}

function obstacleOfSent({ status, has_sent }: LockedTarget, kind: ChangeKind): string | null {
  if (kind === "read") return "The message was sent by this key; name one that came in.";
  if (status === "scheduled")
    return kind === "react"
      ? "The message is not sent yet: react to it once it is."
      : "The message is not sent yet: cancel it with action=cancel, and send another one.";
  if ((status === "failed" || status === "cancelled") && !has_sent)
    return `The message is ${status}: there is nothing to ${kind === "react" ? "react to" : "change"}.`;
  return null;
}

/**
 * The provider's ids of what a mark of reading names, oldest first: the message, and what came in before it in the same
 * conversation after the last one that was marked. Bounded to the newest. Reactions, edits and deletions are not read.
 */
export async function findUnmarked(
  transaction: Queryable,
  target: ChangeTarget,
): Promise<string[]> {
  const { rows } = await transaction.query<{ id: string }>({
    name: "change-unmarked",
    text: `WITH recent AS MATERIALIZED (
             SELECT m.id, m.provider_message_id, m.type FROM messages m
             WHERE m.store_id = $1 AND m.conversation_id = (SELECT t.conversation_id FROM messages t WHERE t.store_id = $1 AND t.id = $2)
               AND m.direction = 'in' AND m.id <= $2 ORDER BY m.id DESC LIMIT $3
           ), marked AS MATERIALIZED (
             SELECT r.id FROM recent r JOIN message_changes c ON c.store_id = $1 AND c.message_id = r.id AND c.kind = 'read'
             JOIN messages command ON command.store_id = $1 AND command.id = c.command_id AND command.status = 'sent' ORDER BY r.id DESC LIMIT 1
           )
           SELECT provider_message_id AS id FROM recent WHERE provider_message_id IS NOT NULL AND (id = $2
             OR type NOT IN ('edit', 'delete', 'reaction') AND NOT EXISTS (SELECT 1 FROM marked WHERE marked.id >= recent.id)) ORDER BY recent.id`,
    values: [target.storeId, target.messageId, limits.readAtOnce],
  });
  return [...new Set(rows.map(({ id }) => id))];
}
