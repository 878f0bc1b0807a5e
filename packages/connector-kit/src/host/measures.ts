// What a connector's host counts.
import type { ConnectionState } from "@thikaa/schema";
import type { Counter, Gauge, Metrics } from "@thikaa/runtime";

export class Measures {
  readonly claimed: Counter;
  readonly outcomes: Counter;
  readonly inbound: Counter;
  readonly refusedWebhooks: Counter;
  readonly #connections: Gauge;

  constructor(metrics: Metrics) {
    this.claimed = metrics.counter("connector_claimed_total", "Messages claimed to be sent.", [
      "channel",
    ]);
    this.outcomes = metrics.counter(
      "connector_outcomes_total",
      "Outcomes of provider calls, by class.",
      ["channel", "class"],
    );
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

  /** A connection of this process went from one state to another; `null` for "not run here". */
  moved(channel: string, from: ConnectionState | null, to: ConnectionState | null): void {
    if (from !== null) this.#connections.dec({ channel, state: from });
    if (to !== null) this.#connections.inc({ channel, state: to });
  }
}
