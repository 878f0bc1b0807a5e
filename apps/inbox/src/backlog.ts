// The backlog: how much waits in every queue of the house and for how long, read by the one inbox that keeps house.
import { readBacklog } from "@thikaa/db";
import type { Backlog, Database } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Assignments, Log, Metrics, Worker } from "@thikaa/runtime";
import { backlogMetrics } from "./metrics.ts";

export interface BacklogParts {
  readonly database: Database;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
  readonly metrics: Metrics;
}

const everyMs = 10_000;

/** Reads the queues while this process holds the key of housekeeping. What can't be read now is not told, rather than told as it was. */
export function startBacklog(parts: BacklogParts): { stop(): Promise<void> } {
  const gauges = backlogMetrics(parts.metrics);
  const forget = () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
  };
  const trouble = new Trouble(parts.log, "the queues could not be measured");
  return startLoop({
    everyMs,
    trouble: {
      passed: () => trouble.passed(),
      failed: (error) => {
        forget();
        trouble.failed(error);
      },
    },
    work: async () => {
      const ours = parts.worker.alive && parts.assignments.held.size > 0;
      const backlog = ours ? await readBacklog(parts.database) : null;
      forget();
      if (backlog !== null) tell(gauges, backlog);
      return false;
    },
  });
}

type Gauges = ReturnType<typeof backlogMetrics>;

function tell(gauges: Gauges, backlog: Backlog): void {
  for (const { queue, channel, rows, age } of backlog.queues) {
    if (rows !== null) gauges.rows.set({ queue, channel }, rows);
    gauges.age.set({ queue, channel }, age);
  }
  for (const { channel, count } of backlog.held) gauges.held.set({ channel }, count);
  for (const { role, count } of backlog.workers) gauges.workers.set({ role }, count);
  for (const { kind, count } of backlog.unowned) gauges.unowned.set({ kind }, count);
}
