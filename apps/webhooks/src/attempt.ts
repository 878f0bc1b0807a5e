// One attempt of a delivery: render, sign, send, judge. Never throws.
import type { ClaimedDelivery } from "@thikaa/db";
import type { Egress } from "@thikaa/egress";
import { inSpan } from "@thikaa/runtime";
import type { SpanConfig } from "@thikaa/runtime";
import { toWireId } from "@thikaa/schema";
import { renderBody } from "./body.ts";
import type { Secrets } from "./secrets.ts";
import { signatureHeaders } from "./signing.ts";
import { judgeExpired, judgeFailure, judgeResponse } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

const totalTimeoutMs = 15_000;
const connectTimeoutMs = 5_000;
const maxResponseBytes = 16_384;

export interface AttemptTools {
  readonly egress: Egress;
  readonly secrets: Secrets;
}

/** Tries a delivery once. `signal` ends it early; then it counts as not tried. */
export function attemptDelivery(
  tools: AttemptTools,
  claim: ClaimedDelivery,
  signal: AbortSignal,
): Promise<Verdict> {
  return inSpan("webhook attempt", spanOf(claim), async (span) => {
    const verdict = await attempt(tools, claim, signal);
    span.setAttribute("thikaa.outcome", verdict.outcome);
    return verdict;
  });
}

async function attempt(
  tools: AttemptTools,
  claim: ClaimedDelivery,
  signal: AbortSignal,
): Promise<Verdict> {
  const { event, instanceId, url } = claim;
  if (event === null || instanceId === null) return judgeExpired(claim);
  try {
    const body = renderBody(event, instanceId);
    const { current, previous } = tools.secrets.keysFor(claim);
    const parts = {
      id: toWireId("event", event.id),
      timestampSeconds: Math.floor(Date.now() / 1_000),
      body,
    };
    const headers = {
      "Content-Type": "application/json",
      "User-Agent": "Thikaa-Webhooks/1",
      "X-Thikaa-Event": event.type,
      ...signatureHeaders(parts, current, previous),
    };
    const limits = { totalTimeoutMs, connectTimeoutMs, maxResponseBytes };
    return judgeResponse(
      claim,
      await tools.egress.request({
        method: "POST",
        url,
        headers,
        body,
        signal,
        retryReusedReset: true,
        ...limits,
      }),
    );
  } catch (error) {
    return judgeFailure(claim, error);
  }
}

function spanOf({ event, deliveryId, endpointId, attempt: number }: ClaimedDelivery): SpanConfig {
  return {
    messageId: /"message_id": ?"(msg_\w+)"/.exec(event?.data ?? "")?.[1] ?? null,
    kind: "client",
    attributes: {
      "thikaa.delivery.id": deliveryId,
      "thikaa.endpoint.id": endpointId,
      "thikaa.event": event?.type ?? "expired",
      "thikaa.attempt": number,
    },
  };
}
