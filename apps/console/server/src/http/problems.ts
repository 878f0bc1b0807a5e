// Turns anything thrown into one answer, in the form of the Messaging API's errors.
import type { ServerResponse } from "node:http";
import { isUnavailable } from "@thikaa/db";
import type { Log } from "@thikaa/runtime";
import { answerJson, ClientGone } from "@thikaa/runtime";
import { ApiError, errorBody } from "@thikaa/schema";

export interface AnswerContext {
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly language: "en" | "ar";
  readonly log: Log;
}

/** Answers with the error; what we did not expect is logged and told as `internal_error` without its insides. */
export function answerProblem(error: unknown, context: AnswerContext): void {
  const { response, requestId } = context;
  if (response.headersSent || error instanceof ClientGone) return void response.destroy();
  const known = toApiError(error);
  if (known.code === "internal_error")
    context.log.error({ error, request_id: requestId }, "a request failed");
  if (known.retryAfter !== undefined) response.setHeader("Retry-After", String(known.retryAfter));
  if (known.allow !== undefined) response.setHeader("Allow", known.allow);
  // A body that was not read to its end would be taken for the next request.
  if (known.code === "payload_too_large") response.setHeader("Connection", "close");
  answerJson(response, known.status, errorBody(known, requestId, context.language));
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isUnavailable(error)) return new ApiError("unavailable", { retryAfter: 2, cause: error });
  return new ApiError("internal_error", { cause: error });
}
