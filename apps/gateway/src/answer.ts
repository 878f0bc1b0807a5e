// Answering: one place that turns results and errors into HTTP, with the headers every answer carries.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isUnavailable } from "@thikaa/db";
import { ClientGone } from "@thikaa/runtime";
import type { Log, Trouble } from "@thikaa/runtime";
import { ApiError, errorBody, newId, toWireId } from "@thikaa/schema";
import type { RateState } from "./admission/rate-limit.ts";

/** One request on its way to its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly startedAt: number;
  /** Known once the key was admitted; then every answer tells it. */
  rate: RateState | null;
}

const callersId = /^[A-Za-z0-9._-]{1,64}$/;

/** Opens an exchange; a caller's own request id is kept when it is a plain one. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const given = request.headers["x-request-id"];
  const requestId =
    typeof given === "string" && callersId.test(given) ? given : toWireId("request", newId());
  return { request, response, requestId, startedAt: performance.now(), rate: null };
}

/** Answers 200 with JSON. */
export function answer(
  exchange: Exchange,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  write(exchange, { status: 200, body, headers });
}

/** Answers with an error of the table; anything else thrown becomes `unavailable` or `internal_error`, and is logged here alone. */
export function answerError(
  exchange: Exchange,
  thrown: unknown,
  { log, unavailable }: { log: Log; unavailable: Trouble },
): void {
  if (thrown instanceof ClientGone) return leave(exchange);
  const error = toApiError(thrown);
  // While PostgreSQL is away every request fails alike: one line tells of all.
  if (error.code === "unavailable") unavailable.failed(thrown);
  else if (error.status >= 500)
    log.error(
      { error: thrown, request_id: exchange.requestId, code: error.code },
      "a request failed",
    );
  const headers: Record<string, string> = {};
  if (error.retryAfter !== undefined) headers["Retry-After"] = String(error.retryAfter);
  if (error.allow !== undefined) headers["Allow"] = error.allow;
  if (error.code === "missing_api_key" || error.code === "invalid_api_key")
    headers["WWW-Authenticate"] = "Bearer";
  // What is left of a body that was not read to its end must not be taken for the next request.
  if (!exchange.request.complete) headers["Connection"] = "close";
  write(exchange, {
    status: error.status,
    body: errorBody(error, exchange.requestId, languageOf(exchange.request)),
    headers,
  });
}

/** Nothing is said and nothing is wrong on our side; 499 is what such requests are counted as. */
function leave({ response }: Exchange): void {
  response.statusCode = 499;
  response.destroy();
}

/** What is answered for anything thrown: an error of the table. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return isUnavailable(thrown)
    ? new ApiError("unavailable", { retryAfter: 2, cause: thrown })
    : new ApiError("internal_error", { cause: thrown });
}

function languageOf(request: IncomingMessage): "en" | "ar" {
  return /^ar\b/i.test(request.headers["accept-language"] ?? "") ? "ar" : "en";
}

function write(
  exchange: Exchange,
  content: { status: number; body: unknown; headers: Readonly<Record<string, string>> },
): void {
  const { response } = exchange;
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(content.body);
  response.writeHead(content.status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Request-Id": exchange.requestId,
    ...rateHeaders(exchange.rate),
    ...content.headers,
  });
  response.end(text);
}

function rateHeaders(rate: RateState | null): Record<string, string | number> {
  if (rate === null) return {};
  return {
    "RateLimit-Policy": `"per-key";q=${rate.limit};w=${rate.windowSeconds}`,
    RateLimit: `"per-key";r=${rate.remaining};t=${rate.resetSeconds}`,
    "X-RateLimit-Limit": rate.limit,
    "X-RateLimit-Remaining": rate.remaining,
    "X-RateLimit-Reset": rate.resetAt,
  };
}
