// The one error that calls throw: the API's own code where there was an answer, or why there was none.
import { errorCodes, errorTable } from "@thikaa/schema";
import type { ErrorCode, ErrorDetail } from "@thikaa/schema";

/** The API's codes; `network_error`: no answer came; `bad_answer`: what answered is not this API. */
export type ThikaaErrorCode = ErrorCode | "network_error" | "bad_answer";

export interface ThikaaErrorFacts {
  readonly code: ThikaaErrorCode;
  readonly message: string;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly details?: readonly ErrorDetail[] | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

export class ThikaaError extends Error {
  readonly code: ThikaaErrorCode;
  /** The HTTP status; absent when no answer came. */
  readonly status: number | undefined;
  /** Names the request in the server's logs. */
  readonly requestId: string | undefined;
  readonly details: readonly ErrorDetail[];
  /** Seconds to wait before the same call may succeed. */
  readonly retryAfter: number | undefined;

  constructor(facts: ThikaaErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "ThikaaError";
    this.code = facts.code;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.details = facts.details ?? [];
    this.retryAfter = facts.retryAfter;
  }

  /** What to do next, in plain words. */
  get todo(): string {
    if (this.code === "network_error")
      return "Check the base URL and the network, then call again with the same Idempotency-Key.";
    if (this.code === "bad_answer") return "Check that the base URL is that of a Thikaa server.";
    return errorTable[this.code].todo;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return (
      ["network_error", "rate_limited", "unavailable", "idempotency_in_progress"].includes(
        this.code,
      ) ||
      this.status === 502 ||
      this.status === 504
    );
  }
}

/** The error of an answer that is not ok; a body that is none of ours (a proxy's page) becomes `unavailable` or `bad_answer`. */
export function errorOfAnswer(response: Response, body: unknown): ThikaaError {
  const given = typeof body === "object" && body !== null ? body : {};
  const code = "error" in given ? errorCodes.find((known) => known === given.error) : undefined;
  const message =
    "message" in given && typeof given.message === "string"
      ? given.message
      : `The server answered ${response.status}.`;
  return new ThikaaError({
    code: code ?? (response.status === 503 ? "unavailable" : "bad_answer"),
    message,
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? undefined,
    details:
      "details" in given && Array.isArray(given.details)
        ? (given.details as ErrorDetail[])
        : undefined,
    retryAfter: secondsOf(response.headers.get("retry-after")),
  });
}

function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
