// Message reports: everything the tables know of one message, gathered for its timeline, and lists of messages.
import { toWireId } from "@thikaa/schema";
import type { ChannelCode } from "@thikaa/schema";
import type { Queryable } from "./database.ts";
import { shownFinal, shownStatus } from "./message-views.ts";

/** A message's own row with its store's slug and its connection's name. */
export interface ReportedMessage {
  readonly id: string;
  readonly store_id: string;
  readonly store: string;
  readonly direction: "in" | "out";
  readonly origin: "api" | "device" | "customer";
  readonly instance_id: string | null;
  readonly connection_id: string;
  readonly connection: string | null;
  readonly channel: ChannelCode;
  readonly address: string;
  readonly type: string;
  readonly client_reference: string | null;
  readonly status: string;
  readonly final: boolean;
  readonly reason: unknown;
  readonly price_micro: number;
  readonly refunded: boolean;
  readonly possible_duplicate: boolean;
  readonly provider_message_id: string | null;
  readonly send_at: Date | null;
  readonly deadline_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface ReportedPart {
  readonly n: number;
  readonly status: string;
  readonly provider_message_id: string | null;
  readonly sent_at: Date | null;
}

export interface ReportedAttempt {
  readonly part: number;
  readonly number: number;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly outcome: string | null;
  readonly detail: unknown;
}

export interface ReportedEvent {
  readonly id: string;
  /** `null` while it waits for its number. */
  readonly sequence: number | null;
  readonly type: string;
  readonly created_at: Date;
  readonly data: unknown;
}

export interface ReportedDelivery {
  readonly id: string;
  readonly event_id: string;
  readonly event: string;
  readonly url: string | null;
  readonly instance: string | null;
  readonly status: "pending" | "delivered" | "failed";
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly attempts: readonly ReportedAttempt[];
}

/** Where a message that is not finished stands in its queue. */
export interface ReportedQueueRow {
  readonly due_at: Date;
  readonly failures: number;
}

export interface MessageReport {
  readonly message: ReportedMessage;
  readonly queue: ReportedQueueRow | null;
  readonly parts: readonly ReportedPart[];
  readonly attempts: readonly ReportedAttempt[];
  readonly events: readonly ReportedEvent[];
  readonly deliveries: readonly ReportedDelivery[];
}

export interface MessageFilter {
  readonly storeId: string;
  /** Only messages that failed, or whose fate is uncertain. */
  readonly failed: boolean;
  readonly since: Date | null;
  /** Only messages older than this one; for the next page. */
  readonly before: string | null;
  readonly limit: number;
}

const messageColumns = `m.id, m.store_id, s.slug AS store, m.direction, m.origin, m.instance_id, m.connection_id, c.name AS connection, m.channel, m.address, m.type,
  m.client_reference, ${shownStatus}, ${shownFinal}, m.reason, m.price_micro, m.refunded, m.possible_duplicate, m.provider_message_id, m.send_at, m.deadline_at, m.created_at, m.updated_at`;

/** Gathers the report of a message, or resolves to `null` when there is no such message. */
export async function readMessageReport(
  database: Queryable,
  id: string,
): Promise<MessageReport | null> {
  // One look-up by primary key a store: an id alone leads no index, since the store leads every key.
  const { rows } = await database.query<ReportedMessage & { [column: string]: unknown }>({
    text: `SELECT ${messageColumns} FROM stores s CROSS JOIN LATERAL (SELECT * FROM messages WHERE store_id = s.id AND id = $1) m
           LEFT JOIN connections c ON c.id = m.connection_id`,
    values: [id],
  });
  const [message] = rows;
  if (message === undefined) return null;
  const [queue, parts, attempts, events] = await Promise.all([
    database.query<ReportedQueueRow & { [column: string]: unknown }>({
      text: "SELECT due_at, failures FROM send_queue WHERE message_id = $1",
      values: [id],
    }),
    database.query<ReportedPart & { [column: string]: unknown }>({
      text: "SELECT n, status, provider_message_id, sent_at FROM parts WHERE store_id = $1 AND message_id = $2 ORDER BY n",
      values: [message.store_id, id],
    }),
    readAttempts(database, message.store_id, [id]),
    readEvents(database, message),
  ]);
  const deliveries = await readDeliveries(database, message.store_id, events);
  return { message, queue: queue.rows[0] ?? null, parts: parts.rows, attempts, events, deliveries };
}

/** A store's messages that fit the filter, newest first. */
export async function listMessages(
  database: Queryable,
  filter: MessageFilter,
): Promise<ReportedMessage[]> {
  const { rows } = await database.query<ReportedMessage & { [column: string]: unknown }>({
    text: `SELECT ${messageColumns} FROM messages m JOIN stores s ON s.id = m.store_id LEFT JOIN connections c ON c.id = m.connection_id
           WHERE m.store_id = $1 AND ($2 = false OR m.status IN ('failed', 'uncertain'))
             AND ($3::timestamptz IS NULL OR m.id >= uuid_at($3)) AND ($4::uuid IS NULL OR m.id < $4)
           ORDER BY m.id DESC LIMIT $5`,
    values: [filter.storeId, filter.failed, filter.since, filter.before, filter.limit],
  });
  return rows;
}

interface AttemptRow extends ReportedAttempt {
  readonly subject_id: string;
  readonly [column: string]: unknown;
}

async function readAttempts(
  database: Queryable,
  storeId: string,
  subjects: readonly string[],
): Promise<AttemptRow[]> {
  const { rows } = await database.query<AttemptRow>({
    text: "SELECT subject_id, part, number, started_at, finished_at, outcome, detail FROM attempts WHERE store_id = $1 AND subject_id = ANY($2) ORDER BY id",
    values: [storeId, subjects],
  });
  return rows;
}

/** Events name their message inside `data`; they lie between its beginning and a little after its last change. */
async function readEvents(database: Queryable, message: ReportedMessage): Promise<ReportedEvent[]> {
  const { rows } = await database.query<ReportedEvent & { [column: string]: unknown }>({
    text: `SELECT id, sequence, type, created_at, data FROM events
           WHERE store_id = $1 AND id BETWEEN uuid_at($2::timestamptz - interval '1 minute') AND uuid_at($3::timestamptz + interval '10 minutes') AND data ->> 'message_id' = $4
           UNION ALL
           SELECT id, NULL, type, created_at, data FROM events_unnumbered WHERE store_id = $1 AND data ->> 'message_id' = $4
           ORDER BY created_at, id`,
    values: [
      message.store_id,
      message.created_at,
      message.updated_at,
      toWireId("message", message.id),
    ],
  });
  return rows;
}

async function readDeliveries(
  database: Queryable,
  storeId: string,
  events: readonly ReportedEvent[],
): Promise<ReportedDelivery[]> {
  const ids = events.map((event) => event.id);
  const [first] = ids.toSorted();
  if (first === undefined) return [];
  const { rows } = await database.query<
    Omit<ReportedDelivery, "attempts"> & { [column: string]: unknown }
  >({
    text: `SELECT d.id, d.event_id, coalesce(v.type, '') AS event, e.url, i.name AS instance, d.status, d.last_status, d.last_error, d.created_at, d.finished_at
           FROM deliveries d LEFT JOIN endpoints e ON e.store_id = d.store_id AND e.id = d.endpoint_id
           LEFT JOIN instances i ON i.store_id = e.store_id AND i.id = e.instance_id
           LEFT JOIN events v ON v.store_id = d.store_id AND v.id = d.event_id
           WHERE d.store_id = $1 AND d.event_id = ANY($2) ORDER BY d.id`,
    values: [storeId, ids],
  });
  const attempts = Map.groupBy(
    await readAttempts(
      database,
      storeId,
      rows.map((row) => row.id),
    ),
    (attempt) => attempt.subject_id,
  );
  return rows.map((row) => ({ ...row, attempts: attempts.get(row.id) ?? [] }));
}
