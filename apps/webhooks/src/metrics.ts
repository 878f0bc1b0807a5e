// What operators see of webhooks: attempts by outcome, deliveries by end, how long they took and how late they were.
import type { SettledDelivery } from "@thikaa/db";
import type { Metrics } from "@thikaa/runtime";

export interface WebhookMetrics {
  attempted(settled: SettledDelivery, durationMs: number): void;
  underWay(count: number): void;
}

/** Registers the app's metrics. */
export function webhookMetrics(metrics: Metrics): WebhookMetrics {
  const attempts = metrics.counter(
    "webhook_attempts_total",
    "Attempts to deliver a webhook, by outcome.",
    ["outcome"],
  );
  const deliveries = metrics.counter(
    "webhook_deliveries_total",
    "Webhook deliveries that ended, by how.",
    ["status"],
  );
  const duration = metrics.histogram(
    "webhook_attempt_seconds",
    "How long an attempt took, with the writing of its outcome.",
  );
  const lag = metrics.age(
    "webhook_lag_seconds",
    "From an event's writing until it is delivered. attempt is first, or later where it had to be tried again.",
    ["attempt"],
  );
  const underWay = metrics.gauge("webhook_attempts_under_way", "Attempts under way now.");
  return {
    attempted({ claim, outcome, verdict }, durationMs) {
      attempts.inc({ outcome });
      duration.observe(durationMs / 1_000);
      if (verdict === "delivered" || verdict === "failed") deliveries.inc({ status: verdict });
      if (verdict === "delivered" && claim.event !== null)
        lag.observe(
          { attempt: claim.attempt === 1 ? "first" : "later" },
          Math.max(0, Date.now() - claim.event.createdAt.getTime()) / 1_000,
        );
    },
    underWay: (count) => underWay.set(count),
  };
}
