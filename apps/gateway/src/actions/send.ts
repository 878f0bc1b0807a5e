// The send action: checks in the order of the error table, then one durable accept.
import { findLastInbound, isInConversation } from "@thikaa/db";
import type { ConnectionView, Database, KeyHolder } from "@thikaa/db";
import { recordSpan } from "@thikaa/runtime";
import { ApiError, channelCodes, defaultPriceMicro, toWireId } from "@thikaa/schema";
import type { Capabilities, Feature, OutboundContent, SendAnswer, Warning } from "@thikaa/schema";
import { resolveKey } from "@thikaa/sending";
import type { Accepting, AcceptResult } from "@thikaa/sending";
import type { Admitted } from "../admission/admit.ts";
import type { KeyDirectory } from "../admission/key-directory.ts";
import type { StoreDirectory } from "../admission/store-directory.ts";
import { answer, toApiError } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { readJsonBody } from "../body.ts";
import type { ReadBody } from "../body.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { activeHolder, findPlace } from "./place.ts";
import { readSend } from "./send-request.ts";
import type { SendRequest } from "./send-request.ts";

export interface SendParts {
  readonly database: Database;
  readonly accepting: Accepting;
  readonly keys: KeyDirectory;
  readonly stores: StoreDirectory;
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
  const result = await decide(parts, { exchange, admitted, body }).catch((error: unknown) => {
    count(toApiError(error).code);
    throw error;
  });
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
  try {
    const { holder, request, to, connection, warnings } = await check(
      parts,
      admitted,
      key instanceof ApiError ? { ok: false, error: key } : body,
    );
    const finished = parts.metrics.accept.startTimer();
    const result = await parts.accepting.accept({
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
      warnings,
      idempotency,
    });
    finished();
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

/** Everything that is checked before the balance: store, shape, recipient, channel, content. */
async function check(parts: SendParts, admitted: Admitted, body: ReadBody) {
  const holder = await activeHolder(parts, admitted);
  if (!body.ok) throw body.error;
  const request = readSend(body.value, Date.now());
  const { to, connection } = await findPlace(parts, { admitted, holder }, request.body);
  await checkContent(parts, { holder, connection, to, request });
  return {
    holder,
    request,
    to,
    connection,
    warnings: [...request.warnings, ...stateWarnings(connection)],
  };
}

/** What is to be sent, by whom, where. */
interface Sending {
  readonly holder: KeyHolder;
  readonly connection: ConnectionView;
  readonly to: string;
  readonly request: SendRequest;
}

async function checkContent(parts: SendParts, sending: Sending): Promise<void> {
  const { connection, request, holder, to } = sending;
  const capabilities = await parts.stores.capabilities(connection.channel);
  if (capabilities === null) return;
  checkCapabilities(capabilities, request);
  await checkReply(parts, sending);
  if (capabilities.firstMessage && capabilities.windowHours === null) return;
  const lastInbound = await findLastInbound(parts.database, {
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
  { database }: SendParts,
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
