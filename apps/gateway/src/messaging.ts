// The Messaging API's HTTP listener: routes, admits, runs the action, answers; every error is answered in one place.
import type { RequestListener } from "node:http";
import type { Log, Trouble } from "@thikaa/runtime";
import { ApiError } from "@thikaa/schema";
import type { Action } from "@thikaa/schema";
import { admit } from "./admission/admit.ts";
import type { Admission, Admitted } from "./admission/admit.ts";
import { change, isChangeAction } from "./actions/change.ts";
import type { ChangeAction } from "./actions/change.ts";
import { cancel, events, message, status } from "./actions/reads.ts";
import type { ReadParts, ReadRequest } from "./actions/reads.ts";
import { send } from "./actions/send.ts";
import type { SendParts } from "./actions/send.ts";
import { typing } from "./actions/typing.ts";
import { answer, answerError, openExchange } from "./answer.ts";
import type { Exchange } from "./answer.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { within } from "./overdue.ts";
import { readRoute } from "./route.ts";
import type { MessagingRoute } from "./route.ts";

export interface MessagingParts extends Admission, SendParts, ReadParts {
  readonly log: Log;
  /** Told of requests that fail because PostgreSQL is away. */
  readonly unavailable: Trouble;
  readonly metrics: GatewayMetrics;
  /** Milliseconds in which a request that is wholly here is answered. */
  readonly answerWithinMs: number;
}

const reads: Readonly<
  Record<
    Exclude<Action, "send" | "typing" | ChangeAction>,
    (parts: ReadParts, request: ReadRequest) => Promise<unknown>
  >
> = { status, message, events, cancel };

/** Answers every request it is given, also those for no path of its own (404). */
export function messagingListener(parts: MessagingParts): RequestListener {
  return (request, response) => void serve(parts, openExchange(request, response));
}

async function serve(parts: MessagingParts, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const route = readRoute(request.url ?? "");
  try {
    await within(parts.answerWithinMs, exchange, run(parts, exchange, route));
  } catch (error) {
    answerError(exchange, error, parts);
  }
  // A request whose body nobody read holds its connection up; reading it away lets the next one come.
  if (!request.complete && !request.destroyed) request.resume();
  parts.metrics.answered.observe(
    { action: route?.action ?? "none", status: response.statusCode },
    (performance.now() - exchange.startedAt) / 1000,
  );
}

async function run(
  parts: MessagingParts,
  exchange: Exchange,
  route: MessagingRoute | null,
): Promise<void> {
  if (route === null) throw new ApiError("not_found");
  const admitted: Admitted = await admit(parts, exchange, route);
  const { action } = admitted;
  const { query } = route;
  if (action === "send") return send(parts, exchange, admitted);
  if (action === "typing") return typing(parts, exchange, admitted);
  if (isChangeAction(action)) return change(parts, exchange, { action, admitted, query });
  answer(exchange, await reads[action](parts, { exchange, admitted, query }));
}
