// The actions edit and delete: checks in the order of the error table, then one durable command.
import type { IncomingMessage } from "node:http";
import type { Bus } from "@thikaa/bus";
import { ApiError, deleteBody, editBody, fromWireId } from "@thikaa/schema";
import type { Action, Feature } from "@thikaa/schema";
import { acceptChange, findChangeTarget, resolveKey } from "@thikaa/sending";
import type { AcceptResult, ChangeResult, ChangeTarget } from "@thikaa/sending";
import type { Admitted } from "../admission/admit.ts";
import { answer } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { readJsonBody } from "../body.ts";
import type { ReadBody } from "../body.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { activeHolder } from "./place.ts";
import type { SendParts } from "./send.ts";
import { invalid, toDetails } from "./send-request.ts";

export type ChangeAction = Extract<Action & Feature, "edit" | "delete">;

export interface ChangeParts extends Pick<SendParts, "database" | "keys" | "stores"> {
  readonly bus: Bus;
}

/** What was asked for, before it was looked into. */
interface ChangeRequest {
  readonly action: ChangeAction;
  readonly admitted: Admitted;
  readonly body: ReadBody;
}

/** Accepts an edit or a deletion of a message that this instance sent, or throws the first error that applies. */
export async function change(
  parts: ChangeParts,
  exchange: Exchange,
  asked: { action: ChangeAction; admitted: Admitted; query: URLSearchParams },
): Promise<void> {
  const { action, admitted, query } = asked;
  const body = await readBody(exchange.request, query.get("id"));
  // The action belongs to what is repeated: the same key and id mean another thing with another action.
  const key = readIdempotencyKey(exchange, body.ok ? { action, body: body.value } : undefined);
  const idempotency = key instanceof ApiError ? null : key;
  const request = { action, admitted, body: key instanceof ApiError ? fault(key) : body };
  try {
    const { target, text } = await check(parts, request);
    answerResult(exchange, await acceptChange(parts, { target, kind: action, text, idempotency }));
  } catch (error) {
    // A known key is answered before anything else is judged.
    const known =
      error instanceof ApiError && idempotency !== null
        ? await resolveKey(parts.database, { ...admitted.holder, ...idempotency })
        : null;
    if (known === null) throw error;
    answerResult(exchange, known);
  }
}

/** The JSON body; the id may stand in the query instead, as `cancel` has it, and then the body may be absent. */
async function readBody(request: IncomingMessage, id: string | null): Promise<ReadBody> {
  const { headers } = request;
  const isAbsent =
    headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  if (isAbsent && id !== null) return { ok: true, value: { id } };
  const body = await readJsonBody(request);
  const isObject = body.ok && typeof body.value === "object" && body.value !== null;
  return isObject && id !== null && !Array.isArray(body.value)
    ? { ok: true, value: { id, ...body.value } }
    : body;
}

function fault(error: ApiError): ReadBody {
  return { ok: false, error };
}

/** Everything that is checked before the message's own state. */
async function check(
  parts: ChangeParts,
  { action, admitted, body }: ChangeRequest,
): Promise<{ target: ChangeTarget; text: string | null }> {
  const holder = await activeHolder(parts, admitted);
  if (!body.ok) throw body.error;
  const { id, text } = readChange(action, body.value);
  const messageId = fromWireId("message", id);
  const target =
    messageId === null ? null : await findChangeTarget(parts.database, { ...holder, messageId });
  if (target === null) throw new ApiError("not_found");
  const allowed = holder.channels.includes(target.channel)
    ? holder
    : await parts.keys.findAnew(admitted.apiKey);
  if (!allowed?.channels.includes(target.channel)) throw new ApiError("channel_not_allowed");
  const capabilities = await parts.stores.capabilities(target.channel);
  if (capabilities !== null && !(capabilities.features ?? []).includes(action))
    throw new ApiError("capability_unsupported", {
      message: `This channel can't ${action} a message that was sent.`,
    });
  return { target, text };
}

function readChange(action: ChangeAction, value: unknown): { id: string; text: string | null } {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("invalid_request", { message: "The body must be a JSON object." });
  if (action === "delete") {
    const parsed = deleteBody.safeParse(value);
    if (parsed.success) return { id: parsed.data.id, text: null };
    throw invalid(toDetails(parsed.error.issues, value, Object.keys(deleteBody.shape)));
  }
  const parsed = editBody.safeParse(value);
  if (!parsed.success)
    throw invalid(toDetails(parsed.error.issues, value, Object.keys(editBody.shape)));
  const { id, message: text } = parsed.data;
  if (text.trim() === "")
    throw invalid([{ path: "message", message: "Write the new text in 'message'." }]);
  return { id, text };
}

function answerResult(exchange: Exchange, result: ChangeResult | AcceptResult): void {
  if (result.kind === "accepted") return answer(exchange, result.answer);
  if (result.kind === "replayed")
    return answer(exchange, result.answer, { "Idempotent-Replayed": "true" });
  if (result.kind === "conflict") throw new ApiError("conflict", { message: result.message });
  throw new ApiError(
    result.kind,
    result.kind === "idempotency_in_progress" ? { retryAfter: 1 } : {},
  );
}
