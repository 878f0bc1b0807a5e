// One attempt of a delivery: render, sign, send, judge. Never throws.
import type { ClaimedDelivery, SettledDelivery } from "@thikaa/db";
import type { Egress } from "@thikaa/egress";
import { toWireId } from "@thikaa/schema";
import { renderBody } from "./body.ts";
import type { Secrets } from "./secrets.ts";
import { signatureHeaders } from "./signing.ts";
import { judgeExpired, judgeFailure, judgeResponse } from "./verdict.ts";

const totalTimeoutMs = 15_000;
const connectTimeoutMs = 5_000;
const maxResponseBytes = 16_384;

export interface AttemptTools {
  readonly egress: Egress;
  readonly secrets: Secrets;
}

/** Tries a delivery once. `signal` ends it early; then it counts as not tried. */
export async function attemptDelivery(
  tools: AttemptTools,
  claim: ClaimedDelivery,
  signal: AbortSignal,
): Promise<SettledDelivery> {
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
