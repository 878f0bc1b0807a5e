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

const undecided =
  "The service can't tell just now whether this was done. Repeat the request shortly, with the same Idempotency-Key.";

const reads: Readonly<
  Record<
    Exclude<Action, "send" | "typing" | ChangeAction>,
    (parts: ReadParts, request: ReadRequest) => Promise<unknown>
  >
> = { status, message, events, cancel };

/** Answers every request it is given, also those for no path of its own (404). */
export function messagingListener(parts: MessagingParts): RequestListener {
  return (request, response) => {
    const exchange = openExchange(request, response);
    const route = readRoute(request.url ?? "");
    within(parts.answerWithinMs, exchange, run(parts, exchange, route))
      .catch((error: unknown) => answerError(exchange, error, parts))
      .finally(() => {
        // A request whose body nobody read holds its connection up; reading it away lets the next one come.
        if (!request.complete && !request.destroyed) request.resume();
        parts.metrics.answered.observe(
          { action: route?.action ?? "none", status: response.statusCode },
          (performance.now() - exchange.startedAt) / 1000,
        );
      });
  };
}

/** The work, or `unavailable` when a silent database keeps it waiting. A client that still sends is the server's to cut off. */
async function within(
  milliseconds: number,
  { request }: Exchange,
  work: Promise<void>,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setInterval(
    () =>
      request.complete &&
      late.reject(new ApiError("unavailable", { message: undecided, retryAfter: 2 })),
    milliseconds,
  );
  await Promise.race([work, late.promise]).finally(() => clearInterval(timer));
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
