// Messages as the Messaging API shows them to the instance that sent them.
import type {
  AttemptFact,
  ChannelCode,
  MessageChange,
  MessageReason,
  MessageStatus,
  PartStatus,
  ReceiptFact,
} from "@thikaa/schema";
import type { Queryable } from "./database.ts";

/** A command that changes a message. */
export interface ChangeView {
  readonly messageId: string;
  readonly kind: MessageChange["kind"];
  readonly status: MessageStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface MessageView {
  readonly id: string;
  readonly channel: ChannelCode;
  readonly connectionId: string;
  readonly to: string;
  readonly status: MessageStatus;
  readonly final: boolean;
  readonly reason: MessageReason | null;
  readonly clientReference: string | null;
  readonly priceMicro: number;
  readonly refunded: boolean;
  readonly possibleDuplicate: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly sendAt: Date | null;
  readonly deadlineAt: Date;
  readonly parts: readonly {
    readonly n: number;
    readonly provider_message_id: string | null;
    readonly status: PartStatus;
  }[];
  readonly attempts: readonly AttemptFact[];
  /** What the provider reported of its parts. */
  readonly receipts: readonly ReceiptFact[];
  /** The edits and deletions of it that were asked for, oldest first. */
  readonly changes: readonly ChangeView[];
  /** When the next try is due; `null` when none waits. */
  readonly dueAt: Date | null;
}

interface MessageRow {
  readonly id: string;
  readonly channel: ChannelCode;
  readonly connection_id: string;
  readonly address: string;
  readonly status: MessageStatus;
  readonly final: boolean;
  readonly reason: MessageReason | null;
  readonly client_reference: string | null;
  readonly price_micro: number;
  readonly refunded: boolean;
  readonly possible_duplicate: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly send_at: Date | null;
  readonly deadline_at: Date;
  readonly due_at: Date | null;
}

interface PartRow {
  readonly n: number;
  readonly provider_message_id: string | null;
  readonly status: PartStatus;
  readonly delivered_at: Date | null;
  readonly read_at: Date | null;
  readonly [column: string]: unknown;
}

/** SQL: the status of the message `m` as it may be shown. That it is being sent is told by its row in the queue alone. */
export const shownStatus = `CASE WHEN m.status IN ('queued', 'scheduled') AND EXISTS (SELECT 1 FROM send_queue claimed WHERE claimed.message_id = m.id AND claimed.worker IS NOT NULL)
  THEN 'sending' ELSE m.status END AS status`;

/** SQL: the last thing that the provider of the message `m` reports after `sent`; `none` where it reports nothing. */
export const reportedReceipts = `coalesce((SELECT d.description -> 'capabilities' ->> 'receipts' FROM channel_descriptions d WHERE d.channel = m.channel), 'none')`;

/** SQL: whether the message `m` is final as it may be shown. After its deadline it is, though a person may read it later still. */
export const shownFinal = `(m.final OR (m.status IN ('sent', 'delivered') AND m.deadline_at <= now())) AS final`;

/** Finds an outbound message of an instance with its parts and attempts; `null` when it is not that instance's. */
export async function findMessageView(
  database: Queryable,
  where: { storeId: string; instanceId: string; messageId: string },
): Promise<MessageView | null> {
  const { rows } = await database.query<MessageRow & { [column: string]: unknown }>({
    name: "messages-view",
    text: `SELECT m.id, m.channel, m.connection_id, m.address, ${shownStatus}, ${shownFinal}, m.reason, m.client_reference, m.price_micro, m.refunded, m.possible_duplicate,
             m.created_at, m.updated_at, m.send_at, m.deadline_at, q.due_at
           FROM messages m LEFT JOIN send_queue q ON q.message_id = m.id AND q.worker IS NULL
           WHERE m.store_id = $1 AND m.id = $2 AND m.instance_id = $3 AND m.direction = 'out'`,
    values: [where.storeId, where.messageId, where.instanceId],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const [parts, attempts, changes] = await Promise.all([
    database.query<PartRow>({
      name: "messages-view-parts",
      text: "SELECT n, provider_message_id, status, delivered_at, read_at FROM parts WHERE store_id = $1 AND message_id = $2 ORDER BY n",
      values: [where.storeId, where.messageId],
    }),
    database.query<AttemptFact & { [column: string]: unknown }>({
      name: "messages-view-attempts",
      text: "SELECT part, number, started_at, finished_at, outcome, detail FROM attempts WHERE store_id = $1 AND subject_id = $2 ORDER BY id",
      values: [where.storeId, where.messageId],
    }),
    database.query<ChangeView & { [column: string]: unknown }>({
      name: "messages-view-changes",
      text: `SELECT m.id AS "messageId", c.kind, ${shownStatus}, m.created_at AS "createdAt", m.updated_at AS "updatedAt"
             FROM message_changes c JOIN messages m ON m.store_id = c.store_id AND m.id = c.command_id
             WHERE c.store_id = $1 AND c.message_id = $2 ORDER BY c.command_id`,
      values: [where.storeId, where.messageId],
    }),
  ]);
  return {
    id: row.id,
    channel: row.channel,
    connectionId: row.connection_id,
    to: row.address,
    status: row.status,
    final: row.final,
    reason: row.reason,
    clientReference: row.client_reference,
    priceMicro: row.price_micro,
    refunded: row.refunded,
    possibleDuplicate: row.possible_duplicate,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    sendAt: row.send_at,
    deadlineAt: row.deadline_at,
    dueAt: row.due_at,
    parts: parts.rows.map(({ n, provider_message_id, status }) => ({
      n,
      provider_message_id,
      status,
    })),
    attempts: attempts.rows,
    receipts: parts.rows.flatMap(receiptsOf),
    changes: changes.rows,
  };
}

function receiptsOf({ n, delivered_at: delivered, read_at: read }: PartRow): ReceiptFact[] {
  return [
    ...(delivered === null ? [] : [{ part: n, status: "delivered" as const, at: delivered }]),
    ...(read === null ? [] : [{ part: n, status: "read" as const, at: read }]),
  ];
}
