// What an attempt's end means: delivered, tried again, or over; and whose fault it was.
import type { ClaimedDelivery, SettledDelivery } from "@thikaa/db";
import { EgressError } from "@thikaa/egress";
import type { EgressResponse } from "@thikaa/egress";
import { scrub } from "@thikaa/runtime";
import { storableText } from "@thikaa/schema";
import type { Finding } from "./lanes.ts";
import { parseRetryAfter, retryWaitMs } from "./schedule.ts";

const keptResponseBytes = 4_096;
const longestReason = 500;
/** A fault of this server says nothing about the receiver: soon again, and it does not count. */
const ourWaitMs = 5_000;

/** What came of an attempt, and what that says of the endpoint. */
export interface Verdict extends SettledDelivery {
  readonly finding: Finding;
}

const ours: Finding = { sign: "none", reason: null, disable: null };

/** What an answer means. 2xx delivers, 410 disables the endpoint, everything else is tried again; a redirect is never followed. */
export function judgeResponse(claim: ClaimedDelivery, response: EgressResponse): Verdict {
  const { status, durationMs } = response;
  const detail = {
    http_status: status,
    duration_ms: durationMs,
    response: storableText(response.body.subarray(0, keptResponseBytes).toString("utf8")),
  };
  if (status >= 200 && status < 300) {
    return {
      claim,
      verdict: "delivered",
      waitMs: 0,
      outcome: "delivered",
      error: null,
      httpStatus: status,
      detail,
      finding: { sign: "well", reason: null, disable: null },
    };
  }
  const message = wordsFor(response);
  const common = { claim, error: message, httpStatus: status, detail: { ...detail, message } };
  if (status === 410)
    return {
      ...common,
      verdict: "failed",
      waitMs: 0,
      outcome: "gone",
      finding: { sign: "ill", reason: message, disable: "its URL answered 410 Gone" },
    };
  return {
    ...common,
    ...retryOrFail(claim, parseRetryAfter(response.headers["retry-after"])),
    outcome: "refused",
    finding: { sign: "ill", reason: message, disable: null },
  };
}

/** What it means that no answer came, or that nothing could be sent. */
export function judgeFailure(claim: ClaimedDelivery, error: unknown): Verdict {
  if (error instanceof EgressError) return judgeEgress(claim, error);
  const message = storableText(
    `This server could not make the request: ${error instanceof Error ? scrub(error.message).slice(0, longestReason) : "unknown fault"}`,
  );
  return {
    claim,
    ...retryOrFail(claim, null),
    outcome: "internal_error",
    error: message,
    httpStatus: null,
    detail: { code: "internal_error", message },
    finding: ours,
  };
}

/** The event is older than events are kept, so there is nothing left to deliver. */
export function judgeExpired(claim: ClaimedDelivery): Verdict {
  const message = "The event is older than events are kept.";
  return {
    claim,
    verdict: "failed",
    waitMs: 0,
    outcome: "expired",
    error: message,
    httpStatus: null,
    detail: { code: "expired", message },
    finding: ours,
  };
}

/** Given back without a try: the shard is another worker's now. */
export function giveBack(claim: ClaimedDelivery): Verdict {
  return {
    claim,
    verdict: "release",
    waitMs: 0,
    outcome: "released",
    error: null,
    httpStatus: null,
    detail: null,
    finding: ours,
  };
}

function judgeEgress(claim: ClaimedDelivery, error: EgressError): Verdict {
  const message = storableText(scrub(error.message).slice(0, longestReason));
  const common = {
    claim,
    error: sentence(message),
    httpStatus: null,
    detail: { code: error.code, stage: error.stage, sent: error.sent, message },
    finding: ours,
  };
  if (error.code === "local")
    return { ...common, verdict: "release", waitMs: ourWaitMs, outcome: "local" };
  if (error.code === "aborted")
    return {
      ...common,
      verdict: "release",
      waitMs: 0,
      outcome: error.sent ? "uncertain" : "released",
    };
  const refused = error.code === "blocked_address" || error.code === "invalid_url";
  const unreached = error.stage === "connect" && !refused;
  return {
    ...common,
    ...retryOrFail(claim, null),
    outcome: refused ? "blocked" : "unreachable",
    finding: { sign: unreached ? "unreached" : "ill", reason: common.error, disable: null },
  };
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function retryOrFail(
  claim: ClaimedDelivery,
  retryAfterMs: number | null,
): Pick<SettledDelivery, "verdict" | "waitMs"> {
  const waitMs = retryWaitMs(claim.attempt, retryAfterMs);
  return waitMs === null ? { verdict: "failed", waitMs: 0 } : { verdict: "retry", waitMs };
}

function wordsFor({ status }: EgressResponse): string {
  if (status >= 300 && status < 400)
    return `The URL answered ${status}, a redirect; redirects are not followed. Give the final URL.`;
  if (status === 410) return "The URL answered 410 Gone; the endpoint was disabled.";
  return `The URL answered ${status}.`;
}
