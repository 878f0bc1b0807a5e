// The action typing: a person sees for some seconds that somebody writes. It is told by a ring alone, so it is shown now or never.
import type { Bus } from "@thikaa/bus";
import { ApiError, toWireId, typingBody } from "@thikaa/schema";
import type { TypingAnswer, TypingBody } from "@thikaa/schema";
import type { Admitted } from "../admission/admit.ts";
import { answer } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { readJsonBody } from "../body.ts";
import type { ReadBody } from "../body.ts";
import { findPlace } from "./place.ts";
import type { Place } from "./place.ts";
import { invalid, toDetails } from "./send-request.ts";
import { decideBy, requireActive } from "./standing.ts";
import type { Standing, StandingParts } from "./standing.ts";

export interface TypingParts extends StandingParts {
  readonly bus: Bus;
}

/** Answers once it is handed over, or throws the first error that applies. */
export async function typing(
  parts: TypingParts,
  exchange: Exchange,
  admitted: Admitted,
): Promise<void> {
  const body = await readJsonBody(exchange.request);
  const place = await decideBy(parts, admitted, (standing) => checkBy(standing, body));
  const { to, connection } = place;
  parts.bus.ring(
    { ring: "typing", to: [connection.channel, connection.id] },
    { connection_id: connection.id, to },
  );
  answer(exchange, toAnswer(place));
}

function checkBy(standing: Standing, body: ReadBody): Place {
  requireActive(standing);
  if (!body.ok) throw body.error;
  const place = findPlace(standing, readTyping(body.value));
  const capabilities = standing.capabilities.get(place.connection.channel);
  if (capabilities !== undefined && !(capabilities.features ?? []).includes("typing"))
    throw new ApiError("capability_unsupported", {
      message: "This channel can't show that somebody writes.",
    });
  return place;
}

function readTyping(value: unknown): TypingBody {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("invalid_request", { message: "The body must be a JSON object." });
  const parsed = typingBody.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(toDetails(parsed.error.issues, value, Object.keys(typingBody.shape)));
}

function toAnswer({ to, connection }: Place): TypingAnswer {
  const { id, channel, state } = connection;
  if (state === "connected") return { ok: true, channel, to };
  const message = `The connection ${toWireId("connection", id)} is ${state}; nothing is shown.`;
  return { ok: true, channel, to, warnings: [{ code: "connection_not_connected", message }] };
}
