// What the gateway counts: how requests were answered, and how sends were.
import type { Counter, Histogram, Metrics } from "@thikaa/runtime";

export interface GatewayMetrics {
  readonly answered: Histogram;
  readonly sends: Counter;
  readonly accept: Histogram;
  readonly acceptSize: Histogram;
}

/** Registers the app's metrics. */
export function gatewayMetrics(metrics: Metrics): GatewayMetrics {
  return {
    answered: metrics.histogram(
      "messaging_answer_seconds",
      "Time from request to answer of the Messaging API.",
      ["action", "status"],
    ),
    sends: metrics.counter(
      "messaging_sends_total",
      "Sends that passed admission, by answer: accepted, replayed, or the error's code. channel is none where the body names no known one.",
      ["channel", "answer"],
    ),
    accept: metrics.histogram(
      "messaging_accept_seconds",
      "Time that the durable acceptance of a message took: waiting for its batch, and the commit.",
    ),
    acceptSize: metrics.size("messaging_accept_size", "Messages accepted in one batch."),
  };
}
