// What a connector's host counts, so that it can be told where a message was late.
import type { ConnectionState, Outcome } from "@thikaa/schema";
import { timeOfId } from "@thikaa/schema";
import type { Counter, Gauge, Histogram, Metrics } from "@thikaa/runtime";

/** What made the owner look: a ring, a lane that became free, or the look each second for what is due by time or lost its ring. */
export type ClaimCause = "ring" | "lane" | "sweep";

export class Measures {
  readonly inbound: Counter;
  readonly refusedWebhooks: Counter;
  readonly #claimed: Counter;
  readonly #claimSize: Histogram;
  readonly #outcomes: Counter;
  readonly #call: Histogram;
  readonly #sentAge: Histogram;
  readonly #settle: Histogram;
  readonly #settleSize: Histogram;
  readonly #connections: Gauge;

  constructor(metrics: Metrics) {
    this.#claimed = metrics.counter(
      "connector_claimed_total",
      "Messages claimed to be sent. cause: ring, lane (one became free), or sweep (the look each second: a retry, a schedule, or a lost ring).",
      ["channel", "cause"],
    );
    this.#claimSize = metrics.size("connector_claim_size", "Messages in a claim.", ["channel"]);
    this.#outcomes = metrics.counter(
      "connector_outcomes_total",
      "Attempts that ended, by the class of their outcome: sent, throttled, unavailable, uncertain, rejected, unauthorized, poison.",
      ["channel", "class"],
    );
    this.#call = metrics.histogram(
      "connector_call_seconds",
      "How long the provider took for one attempt.",
      ["channel", "class"],
    );
    this.#sentAge = metrics.age(
      "connector_sent_age_seconds",
      "From a message's acceptance until the provider took a part of it; a scheduled one's schedule is in it.",
      ["channel"],
    );
    this.#settle = metrics.histogram(
      "connector_settle_seconds",
      "How long an outcome took to be committed.",
    );
    this.#settleSize = metrics.size("connector_settle_size", "Outcomes in one transaction.");
    this.inbound = metrics.counter(
      "connector_inbound_items_total",
      "Items that came in: new ones by kind, and repeats.",
      ["channel", "kind"],
    );
    this.refusedWebhooks = metrics.counter(
      "connector_webhooks_refused_total",
      "Webhook requests refused, by HTTP status.",
      ["channel", "status"],
    );
    this.#connections = metrics.gauge(
      "connector_connections",
      "Connections this process runs, by state.",
      ["channel", "state"],
    );
  }

  /** Messages were claimed together; what led to each of them. */
  claimed(channel: string, causes: readonly ClaimCause[]): void {
    for (const cause of causes) this.#claimed.inc({ channel, cause });
    if (causes.length > 0) this.#claimSize.observe({ channel }, causes.length);
  }

  /** An attempt at a part of a message ended, after so many milliseconds at the provider. */
  attempted(attempt: { channel: string; messageId: string }, outcome: Outcome, ms: number): void {
    const { channel, messageId } = attempt;
    this.#outcomes.inc({ channel, class: outcome.class });
    this.#call.observe({ channel, class: outcome.class }, ms / 1_000);
    if (outcome.class === "sent")
      this.#sentAge.observe({ channel }, Math.max(0, Date.now() - timeOfId(messageId)) / 1_000);
  }

  /** Outcomes were committed together, so many milliseconds after they were handed over. */
  settled(outcomes: number, ms: number): void {
    this.#settleSize.observe(outcomes);
    this.#settle.observe(ms / 1_000);
  }

  /** A connection of this process went from one state to another; `null` for "not run here". */
  moved(channel: string, from: ConnectionState | null, to: ConnectionState | null): void {
    if (from !== null) this.#connections.dec({ channel, state: from });
    if (to !== null) this.#connections.inc({ channel, state: to });
  }
}
