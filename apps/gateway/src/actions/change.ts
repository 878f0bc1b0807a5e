// The actions edit, delete, react and read: checks in the order of the error table, then one durable command.
import type { IncomingMessage } from "node:http";
import type { Bus } from "@thikaa/bus";
import { ApiError, changeKinds, deleteBody, editBody, fromWireId } from "@thikaa/schema";
import { reactBody, readBody } from "@thikaa/schema";
import type { Feature, MessageChange } from "@thikaa/schema";
import { acceptChange, findChangeTarget, resolveKey } from "@thikaa/sending";
import type { AcceptResult, Change, ChangeResult, ChangeTarget } from "@thikaa/sending";
import type { z } from "zod";
import type { Admitted } from "../admission/admit.ts";
import { answer } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { readJsonBody } from "../body.ts";
import type { ReadBody } from "../body.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import type { SendParts } from "./send.ts";
import { invalid, toDetails } from "./send-request.ts";
import { decideBy, requireActive } from "./standing.ts";
import type { Standing } from "./standing.ts";

/** Each is called as the command that it makes. */
export type ChangeAction = MessageChange["kind"];

export function isChangeAction(action: string): action is ChangeAction {
  return changeKinds.some((kind) => kind === action);
}

interface Need {
  readonly feature: Feature;
  readonly without: string;
}

/** What a channel must be able to do for each, and what is said of one that can't. */
const needs: Readonly<Record<ChangeAction, Need>> = {
  edit: { feature: "edit", without: "This channel can't edit a message that was sent." },
  delete: { feature: "delete", without: "This channel can't delete a message that was sent." },
  react: { feature: "reactions", without: "This channel carries no reactions of ours." },
  read: { feature: "read", without: "This channel can't mark messages as read." },
};

export interface ChangeParts extends Pick<SendParts, "database" | "keys" | "stores"> {
  readonly bus: Bus;
}

/** What was asked for, before it was looked into. */
interface ChangeRequest {
  readonly action: ChangeAction;
  readonly admitted: Admitted;
  readonly body: ReadBody;
}

/** Accepts a command about a message, or throws the first error that applies. */
export async function change(
  parts: ChangeParts,
  exchange: Exchange,
  asked: { action: ChangeAction; admitted: Admitted; query: URLSearchParams },
): Promise<void> {
  const { action, admitted, query } = asked;
  const body = await readNamed(exchange.request, { name: idFields[action], query });
  // The action belongs to what is repeated: the same key and id mean another thing with another action.
  const key = readIdempotencyKey(exchange, body.ok ? { action, body: body.value } : undefined);
  const idempotency = key instanceof ApiError ? null : key;
  const request = { action, admitted, body: key instanceof ApiError ? fault(key) : body };
  try {
    const checked = await check(parts, request);
    answerResult(exchange, await acceptChange(parts, { ...checked, idempotency }));
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

/** What each calls the id of the message that it is about. */
const idFields: Readonly<Record<ChangeAction, "id" | "message_id">> = {
  edit: "id",
  delete: "id",
  react: "message_id",
  read: "message_id",
};

/** The JSON body; the id may stand in the query instead, as `cancel` has it, and then the body may be absent. */
async function readNamed(
  request: IncomingMessage,
  { name, query }: { name: string; query: URLSearchParams },
): Promise<ReadBody> {
  const id = query.get(name);
  const { headers } = request;
  const isAbsent =
    headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  if (isAbsent && id !== null) return { ok: true, value: { [name]: id } };
  const body = await readJsonBody(request);
  const isObject = body.ok && typeof body.value === "object" && body.value !== null;
  return isObject && id !== null && !Array.isArray(body.value)
    ? { ok: true, value: { [name]: id, ...body.value } }
    : body;
}

function fault(error: ApiError): ReadBody {
  return { ok: false, error };
}

/** Everything that is checked before the message's own state. */
async function check(
  parts: ChangeParts,
  { action, admitted, body }: ChangeRequest,
): Promise<{ target: ChangeTarget; change: Change }> {
  const {
    id,
    change: asked,
    holder,
  } = await decideBy(parts, admitted, (standing) => {
    requireActive(standing);
    if (!body.ok) throw body.error;
    return { ...readChange(action, body.value), holder: standing.holder };
  });
  const messageId = fromWireId("message", id);
  const target =
    messageId === null
      ? null
      : await findChangeTarget(parts.database, { ...holder, messageId }, action);
  if (target === null) throw new ApiError("not_found");
  await decideBy(parts, admitted, (standing) => checkChannel(standing, target, needs[action]));
  return { target, change: asked };
}

function checkChannel(
  { holder, capabilities }: Standing,
  { channel }: ChangeTarget,
  { feature, without }: Need,
): void {
  if (!holder.channels.includes(channel)) throw new ApiError("channel_not_allowed");
  const features = capabilities.get(channel)?.features ?? [];
  if (capabilities.has(channel) && !features.includes(feature))
    throw new ApiError("capability_unsupported", { message: without });
}

/** Reads a body of one of the actions; throws what is wrong with it. */
function readBodyAs<Shape extends z.ZodObject>(shape: Shape, value: unknown): z.output<Shape> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("invalid_request", { message: "The body must be a JSON object." });
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(toDetails(parsed.error.issues, value, Object.keys(shape.shape)));
}

function readChange(action: ChangeAction, value: unknown): { id: string; change: Change } {
  switch (action) {
    case "edit": {
      const { id, message: text } = readBodyAs(editBody, value);
      if (text.trim() === "")
        throw invalid([{ path: "message", message: "Write the new text in 'message'." }]);
      return { id, change: { kind: "edit", text } };
    }
    case "delete":
      return { id: readBodyAs(deleteBody, value).id, change: { kind: "delete" } };
    case "react": {
      const { message_id: id, emoji } = readBodyAs(reactBody, value);
      return { id, change: { kind: "react", emoji: emoji || null } };
    }
    case "read":
      return { id: readBodyAs(readBody, value).message_id, change: { kind: "read" } };
  }
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
