// The actions that only read, and cancel: status, message, events, cancel.
import { countQueued, findMessageView, listEvents, readBalance } from "@thikaa/db";
import type { ChangeView, ConnectionView, Database, MessageView } from "@thikaa/db";
import type { Bus } from "@thikaa/bus";
import { ApiError, fromWireId, limits, messageTimeline, toCredits, toWireId } from "@thikaa/schema";
import type {
  CancelAnswer,
  ConnectionStatus,
  EventsAnswer,
  MessageAnswer,
  StatusAnswer,
  TimelineEntry,
} from "@thikaa/schema";
import { cancel as cancelMessage } from "@thikaa/sending";
import type { Admitted } from "../admission/admit.ts";
import type { StoreDirectory } from "../admission/store-directory.ts";
import type { Exchange } from "../answer.ts";

export interface ReadParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly stores: StoreDirectory;
}

/** What an action answers with; the exchange carries the key's rate. */
export interface ReadRequest {
  readonly exchange: Exchange;
  readonly admitted: Admitted;
  readonly query: URLSearchParams;
}

/** `action=status`: the key, its store's balance and plan, and its connections as they are now. */
export async function status(
  parts: ReadParts,
  { exchange, admitted }: ReadRequest,
): Promise<StatusAnswer> {
  const { holder } = admitted;
  const connections = (await parts.stores.connectionsAnew(holder.storeId)).filter(({ channel }) =>
    holder.channels.includes(channel),
  );
  const [queued, balance] = await Promise.all([
    countQueued(
      parts.database,
      connections.map(({ id }) => id),
    ),
    readBalance(parts.database, holder.storeId),
  ]);
  return {
    ok: true,
    instance_id: toWireId("instance", holder.instanceId),
    name: holder.name,
    status: "active",
    store: holder.store,
    channels: [...holder.channels],
    balance: toCredits(balance),
    plan: holder.plan,
    rate_limit: {
      limit: holder.rateLimit,
      remaining: exchange.rate?.remaining ?? 0,
      reset: exchange.rate?.resetAt ?? 0,
    },
    connections: connections.map((connection) =>
      toConnectionStatus(connection, queued.get(connection.id) ?? 0),
    ),
  };
}

/** `action=message`: where one message of this instance stands, and how it got there. */
export async function message(
  parts: ReadParts,
  { admitted, query }: ReadRequest,
): Promise<MessageAnswer> {
  const view = await findMessageView(parts.database, {
    ...admitted.holder,
    messageId: readMessageId(query),
  });
  if (view === null) throw new ApiError("not_found");
  return toMessageAnswer(view);
}

/** `action=events`: the store's events after a number. */
export async function events(
  parts: ReadParts,
  { admitted, query }: ReadRequest,
): Promise<EventsAnswer> {
  const after = readInteger(query, {
    name: "after",
    fallback: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  });
  const limit = readInteger(query, {
    name: "limit",
    fallback: limits.eventsPage.default,
    min: 1,
    max: limits.eventsPage.max,
  });
  const found = await listEvents(parts.database, {
    storeId: admitted.holder.storeId,
    after,
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  return {
    ok: true,
    events: page,
    has_more: found.length > limit,
    next_after: page.at(-1)?.sequence ?? after,
  };
}

/** `action=cancel`: takes a waiting message back; one under way keeps its status, which is told. */
export async function cancel(
  parts: ReadParts,
  { admitted, query }: ReadRequest,
): Promise<CancelAnswer> {
  const messageId = readMessageId(query);
  const result = await cancelMessage(parts, {
    storeId: admitted.holder.storeId,
    instanceId: admitted.holder.instanceId,
    messageId,
  });
  if (result.kind === "not_found") throw new ApiError("not_found");
  return {
    ok: true,
    message_id: toWireId("message", messageId),
    status: result.status,
    final: result.final,
    refunded: result.refunded,
  };
}

function readMessageId(query: URLSearchParams): string {
  const text = query.get("id");
  if (text === null || text === "")
    throw new ApiError("invalid_request", {
      message: "'id' is missing: the message_id that send answered.",
      details: [{ path: "id", message: "'id' is missing." }],
    });
  const id = fromWireId("message", text);
  if (id === null) throw new ApiError("not_found");
  return id;
}

function readInteger(
  query: URLSearchParams,
  range: { name: string; fallback: number; min: number; max: number },
): number {
  const text = query.get(range.name);
  if (text === null || text === "") return range.fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  const message = `'${range.name}' must be a whole number from ${range.min} to ${range.max}.`;
  throw new ApiError("invalid_request", { message, details: [{ path: range.name, message }] });
}

function toConnectionStatus(connection: ConnectionView, queued: number): ConnectionStatus {
  return {
    id: toWireId("connection", connection.id),
    channel: connection.channel,
    name: connection.name,
    address: connection.address,
    default: connection.isDefault,
    state: connection.state,
    since: connection.since.toISOString(),
    reason: connection.reason,
    queued,
    last_inbound_at: connection.lastInboundAt?.toISOString() ?? null,
    last_sent_at: connection.lastSentAt?.toISOString() ?? null,
  };
}

function toMessageAnswer(view: MessageView): MessageAnswer {
  return {
    ok: true,
    message_id: toWireId("message", view.id),
    channel: view.channel,
    connection_id: toWireId("connection", view.connectionId),
    to: view.to,
    status: view.status,
    final: view.final,
    reason: view.reason,
    client_reference: view.clientReference,
    price: toCredits(view.priceMicro),
    refunded: view.refunded,
    possible_duplicate: view.possibleDuplicate,
    created_at: view.createdAt.toISOString(),
    send_at: view.sendAt?.toISOString() ?? null,
    deadline_at: view.deadlineAt.toISOString(),
    parts: [...view.parts],
    changes: view.changes.map(({ messageId, kind, status: changeStatus, createdAt }) => ({
      message_id: toWireId("message", messageId),
      kind,
      status: changeStatus,
      created_at: createdAt.toISOString(),
    })),
    timeline: [
      ...messageTimeline({ ...view, partCount: view.parts.length }),
      ...view.changes.map(toTimelineEntry),
    ].toSorted((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at))),
  };
}

/** What a command that was sent has done: the timeline's word for it, and the sentence's. */
const done: Readonly<Record<ChangeView["kind"], { status: string; text: string }>> = {
  edit: { status: "edited", text: "Edited" },
  delete: { status: "deleted", text: "Deleted" },
  react: { status: "reacted", text: "Reacted to" },
  read: { status: "marked", text: "Marked as read" },
};

/** What became of a command, in the timeline of the message that it is about. */
function toTimelineEntry({ messageId, kind, status, updatedAt }: ChangeView): TimelineEntry {
  const { status: doneStatus, text } = done[kind];
  const by = `by ${toWireId("message", messageId)}`;
  return {
    at: updatedAt.toISOString(),
    status: status === "sent" ? doneStatus : kind,
    text:
      status === "sent"
        ? `${text} ${by}.`
        : `To be ${text.toLowerCase()} ${by}, which is ${status}.`,
  };
}
