// What the inbox counts: inbound items, events that get their numbers, and the whole house's backlog.
import type { Metrics } from "@thikaa/runtime";

/** Of the inbound side. */
export function inboundMetrics(metrics: Metrics) {
  return {
    finishedItems: metrics.counter("inbound_finished_total", "Inbound items finished."),
    keptItems: metrics.counter(
      "inbound_kept_total",
      "Inbound items kept whole because they were no readable message.",
    ),
    unmatchedReceipts: metrics.counter(
      "inbound_receipts_unmatched_total",
      "Receipts dropped: for a minute there was no message that they could tell of.",
    ),
    lag: metrics.age(
      "inbound_lag_seconds",
      "From an item's commit by the channel's app until its message and event are committed.",
    ),
    batchSize: metrics.size("inbound_batch_size", "Messages finished in one transaction."),
  };
}

/** Of the sequencer. */
export function sequencerMetrics(metrics: Metrics) {
  return {
    numbered: metrics.counter("events_numbered_total", "Events that got their number."),
    lag: metrics.age(
      "events_numbering_lag_seconds",
      "From an event's writing until it has its number.",
    ),
    batchSize: metrics.size("events_numbering_batch_size", "Events numbered by one statement."),
  };
}

/** Of the queues of the whole house: told by one inbox, the one that keeps house. */
export function backlogMetrics(metrics: Metrics) {
  return {
    rows: metrics.gauge(
      "queue_rows",
      "Rows of a queue; of a long one an estimate, 3 % off as a rule. queue: send (by channel) or delivery. One inbox tells it.",
      ["queue", "channel"],
    ),
    age: metrics.gauge(
      "queue_oldest_due_seconds",
      "How long the oldest that could go now has been due; 0 when none is. queue: send (by channel), delivery, inbound, events (those without a number). One inbox tells it.",
      ["queue", "channel"],
    ),
    held: metrics.gauge(
      "messages_uncertain_held",
      "Messages that a person holds for a decision, counted up to 20000. One inbox tells it.",
      ["channel"],
    ),
    workers: metrics.gauge("workers_alive", "Living processes, by role. One inbox tells it.", [
      "role",
    ]),
    unowned: metrics.gauge(
      "assignments_unowned",
      "Shards and wanted connections that no living worker owns. One inbox tells it.",
      ["kind"],
    ),
  };
}
