// The send action: checks in the order of the error table, then one durable accept.
import { findLastInbound, isInConversation } from "@thikaa/db";
import type { ConnectionView, Database, KeyHolder } from "@thikaa/db";
import { recordSpan } from "@thikaa/runtime";
import { ApiError, channelCodes, defaultPriceMicro, toWireId } from "@thikaa/schema";
import type { Capabilities, Feature, OutboundContent, SendAnswer, Warning } from "@thikaa/schema";
import { resolveKey } from "@thikaa/sending";
import type { Accepting, AcceptRequest, AcceptResult } from "@thikaa/sending";
import type { Admitted } from "../admission/admit.ts";
import { answer, toApiError } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { readJsonBody } from "../body.ts";
import type { ReadBody } from "../body.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import type { IdempotencyKey } from "./idempotency-key.ts";
import { findPlace } from "./place.ts";
import { readSend } from "./send-request.ts";
import type { SendRequest } from "./send-request.ts";
import { decideBy, requireActive } from "./standing.ts";
import type { Standing, StandingParts } from "./standing.ts";

export interface SendParts extends StandingParts {
  readonly database: Database;
  readonly accepting: Accepting;
  readonly metrics: GatewayMetrics;
}

/** Accepts a message or throws the first error that applies. */
export async function send(
  parts: SendParts,
  exchange: Exchange,
  admitted: Admitted,
): Promise<void> {
  const startedAt = Date.now();
  const body = await readJsonBody(exchange.request);
  const channel = channelOf(body);
  const count = (answered: string) => parts.metrics.sends.inc({ channel, answer: answered });
  let result: AcceptResult;
  try {
    result = await decide(parts, { exchange, admitted, body });
  } catch (error) {
    count(toApiError(error).code);
    throw error;
  }
  count(result.kind);
  answerResult(exchange, result);
  if (result.kind !== "accepted") return;
  const { message_id: messageId } = result.answer;
  recordSpan("accept", { messageId, attributes: { "thikaa.channel": channel }, startedAt });
}

async function decide(
  parts: SendParts,
  { exchange, admitted, body }: { exchange: Exchange; admitted: Admitted; body: ReadBody },
): Promise<AcceptResult> {
  const key = readIdempotencyKey(exchange, body.ok ? body.value : undefined);
  const idempotency = key instanceof ApiError ? null : key;
  const read: ReadBody = key instanceof ApiError ? { ok: false, error: key } : body;
  try {
    const sending = await check(parts, admitted, read);
    const from = performance.now();
    const result = await parts.accepting.accept(toAcceptRequest(sending, idempotency));
    parts.metrics.accept.observe((performance.now() - from) / 1_000);
    return result;
  } catch (error) {
    // A known key is answered before anything else is judged: the balance may be spent or the channel gone since then.
    const stored =
      error instanceof ApiError && idempotency !== null
        ? await resolveKey(parts.database, { ...admitted.holder, ...idempotency })
        : null;
    if (stored === null) throw error;
    return stored;
  }
}

function toAcceptRequest(
  { holder, request, to, connection }: Sending,
  idempotency: IdempotencyKey | null,
): AcceptRequest {
  return {
    storeId: holder.storeId,
    instanceId: holder.instanceId,
    connectionId: connection.id,
    channel: connection.channel,
    to,
    content: request.content,
    clientReference: request.body.client_reference ?? null,
    sendAt: request.sendAt,
    ttlSeconds: request.ttlSeconds,
    priceMicro: connection.priceMicro ?? defaultPriceMicro,
    warnings: [...request.warnings, ...stateWarnings(connection)],
    idempotency,
  };
}

/** The channel that the body names, as a label: one of a few words, whatever was sent. */
function channelOf(body: ReadBody): string {
  const named =
    body.ok && typeof body.value === "object" && body.value !== null && "channel" in body.value
      ? body.value.channel
      : null;
  return channelCodes.find((code) => code === named) ?? "none";
}

function answerResult(exchange: Exchange, result: AcceptResult): void {
  if (result.kind === "accepted") return answer(exchange, result.answer);
  if (result.kind === "replayed")
    return answer(exchange, result.answer satisfies SendAnswer, { "Idempotent-Replayed": "true" });
  throw new ApiError(
    result.kind,
    result.kind === "idempotency_in_progress" ? { retryAfter: 1 } : {},
  );
}

/** What is to be sent, by whom, where. */
interface Sending {
  readonly holder: KeyHolder;
  readonly connection: ConnectionView;
  readonly to: string;
  readonly request: SendRequest;
  /** `null` while the channel's app has never run. */
  readonly capabilities: Capabilities | null;
}

/** Everything that is checked before the balance: store, shape, recipient, channel, content, conversation. */
async function check(parts: SendParts, admitted: Admitted, body: ReadBody): Promise<Sending> {
  const now = Date.now();
  const sending = await decideBy(parts, admitted, (standing) => checkBy(standing, body, now));
  if (restsOnConversation(sending)) await checkConversation(parts.database, sending);
  return sending;
}

/** What can be said without the conversation. Pure. */
function checkBy(standing: Standing, body: ReadBody, now: number): Sending {
  requireActive(standing);
  if (!body.ok) throw body.error;
  const request = readSend(body.value, now);
  const { to, connection } = findPlace(standing, request.body);
  const capabilities = standing.capabilities.get(connection.channel) ?? null;
  if (capabilities !== null) checkCapabilities(capabilities, request);
  return { holder: standing.holder, request, to, connection, capabilities };
}

function restsOnConversation({ request, capabilities }: Sending): boolean {
  if (request.content.reply_to !== undefined) return true;
  return capabilities !== null && !isOpenToAll(capabilities);
}

/** Whether the channel takes a message to whoever never wrote, at any time. */
function isOpenToAll({ firstMessage, windowHours }: Capabilities): boolean {
  return firstMessage && windowHours === null;
}

async function checkConversation(database: Database, sending: Sending): Promise<void> {
  const { capabilities, holder, connection, request, to } = sending;
  await checkReply(database, sending);
  if (capabilities === null || isOpenToAll(capabilities)) return;
  const lastInbound = await findLastInbound(database, {
    storeId: holder.storeId,
    connectionId: connection.id,
    address: to,
  });
  if (!capabilities.firstMessage && lastInbound === undefined)
    throw new ApiError("conversation_not_open");
  if (capabilities.windowHours === null) return;
  const openUntil = (lastInbound?.getTime() ?? 0) + capabilities.windowHours * 3_600_000;
  if (openUntil < (request.sendAt?.getTime() ?? Date.now())) throw new ApiError("window_closed");
}

function checkCapabilities(capabilities: Capabilities, { content }: SendRequest): void {
  if (content.text !== null && capabilities.text === null)
    throw unsupported("message", "This channel can't carry text.");
  checkFeatures(capabilities, content);
  const { media } = content;
  if (media === null || capabilities.media.some(({ kind }) => kind === media.kind)) return;
  const carried = capabilities.media.map(({ kind }) => kind).join(", ");
  throw unsupported(
    "media_url",
    carried === ""
      ? "This channel carries text only for now."
      : `This channel carries ${carried}, not ${media.kind}.`,
  );
}

/** What beside text and files a content asks of its channel, and the field that asks for it. */
const asked: readonly { feature: Feature; field: keyof OutboundContent; plural: string }[] = [
  { feature: "location", field: "location", plural: "locations" },
  { feature: "contact", field: "contact", plural: "contacts" },
  { feature: "buttons", field: "buttons", plural: "buttons" },
  { feature: "reply", field: "reply_to", plural: "answers to one message" },
];

function checkFeatures({ features = [] }: Capabilities, content: OutboundContent): void {
  const missing = asked.find(
    ({ feature, field }) => content[field] !== undefined && !features.includes(feature),
  );
  if (missing !== undefined)
    throw unsupported(missing.field, `This channel can't carry ${missing.plural}.`);
}

/** The message that is answered must be one of the same conversation. */
async function checkReply(
  database: Database,
  { holder, connection, request, to }: Sending,
): Promise<void> {
  const { reply_to: messageId } = request.content;
  if (messageId === undefined) return;
  const { storeId, instanceId } = holder;
  const place = { storeId, instanceId, messageId, connectionId: connection.id, address: to };
  if (await isInConversation(database, place)) return;
  const message = "There is no message with this 'reply_to' in the conversation with this 'to'.";
  throw new ApiError("not_found", { message, details: [{ path: "reply_to", message }] });
}

function unsupported(path: string, message: string): ApiError {
  return new ApiError("capability_unsupported", { message, details: [{ path, message }] });
}

function stateWarnings(connection: ConnectionView): Warning[] {
  if (connection.state === "connected") return [];
  const why = connection.reason === null ? "" : ` (${connection.reason.message})`;
  return [
    {
      code: "connection_not_connected",
      message: `The connection ${toWireId("connection", connection.id)} is ${connection.state}${why}; the message waits until it is connected, or its ttl ends.`,
    },
  ];
}
