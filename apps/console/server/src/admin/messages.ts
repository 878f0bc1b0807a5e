// Messages: one with everything that happened to it, and lists.
import { listMessages, readMessageReport } from "@thikaa/db";
import type { MessageReport, ReportedAttempt, ReportedMessage } from "@thikaa/db";
import { ApiError, fromWireId, toCredits, toWireId } from "@thikaa/schema";
import { z } from "zod";
import { invalid, validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { storeOf, uuidOf } from "./finding.ts";
import { ok } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";
import { describeTimeline } from "./timeline.ts";

const pageSize = { default: 50, max: 500 } as const;
const listQuery = z.strictObject({
  store: z.string({ error: "must name a store" }),
  failed: z.enum(["0", "1", "true", "false"], { error: "must be 1 or 0" }).optional(),
  since: z.iso
    .datetime({ offset: true, error: "must be a time like 2026-11-22T10:00:00Z" })
    .optional(),
  before: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(pageSize.max).default(pageSize.default),
});

const iso = (date: Date | null) => date?.toISOString() ?? null;

function messageView(message: ReportedMessage): Record<string, unknown> {
  return {
    message_id: toWireId("message", message.id),
    store: message.store,
    direction: message.direction,
    origin: message.origin,
    instance_id: message.instance_id === null ? null : toWireId("instance", message.instance_id),
    connection_id: toWireId("connection", message.connection_id),
    connection: message.connection,
    channel: message.channel,
    address: message.address,
    type: message.type,
    client_reference: message.client_reference,
    status: message.status,
    final: message.final,
    reason: message.reason,
    price: toCredits(message.price_micro),
    refunded: message.refunded,
    possible_duplicate: message.possible_duplicate,
    provider_message_id: message.provider_message_id,
    send_at: iso(message.send_at),
    deadline_at: iso(message.deadline_at),
    created_at: message.created_at.toISOString(),
  };
}

function attemptView(attempt: ReportedAttempt): Record<string, unknown> {
  const { part, number, outcome, detail } = attempt;
  return {
    part,
    number,
    started_at: iso(attempt.started_at),
    finished_at: iso(attempt.finished_at),
    outcome,
    detail,
  };
}

function reportView(report: MessageReport): Record<string, unknown> {
  return {
    ...messageView(report.message),
    timeline: describeTimeline(report),
    parts: report.parts.map(({ n, status, provider_message_id }) => ({
      n,
      status,
      provider_message_id,
    })),
    attempts: report.attempts.map(attemptView),
    deliveries: report.deliveries.map((delivery) => ({
      delivery_id: toWireId("delivery", delivery.id),
      event_id: toWireId("event", delivery.event_id),
      event: delivery.event,
      url: delivery.url,
      key: delivery.instance,
      status: delivery.status,
      last_status: delivery.last_status,
      last_error: delivery.last_error,
      attempts: delivery.attempts.map(attemptView),
    })),
  };
}

async function show(house: House, call: Call): Promise<Answer> {
  const id = call.parameters["id"];
  const report = await readMessageReport(house.database, uuidOf("message", id));
  if (report === null)
    throw new ApiError("not_found", { message: `There is no message '${id ?? ""}'.` });
  return ok({ message: reportView(report) });
}

async function list(house: House, call: Call): Promise<Answer> {
  const query = validate(listQuery, call.query);
  const store = await storeOf(house, query.store);
  const before = query.before === undefined ? null : fromWireId("message", query.before);
  if (query.before !== undefined && before === null)
    throw invalid([{ path: "before", message: "'before' must be a message's id." }]);
  const rows = await listMessages(house.database, {
    storeId: store.id,
    failed: query.failed === "1" || query.failed === "true",
    since: query.since === undefined ? null : new Date(query.since),
    before,
    limit: query.limit + 1,
  });
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return ok({
    messages: page.map(messageView),
    has_more: rows.length > page.length,
    next_before: last === undefined ? null : toWireId("message", last.id),
  });
}

export const messageRoutes: readonly Route[] = [
  { method: "GET", path: "/messages", handle: list },
  { method: "GET", path: "/messages/:id", handle: show },
];
