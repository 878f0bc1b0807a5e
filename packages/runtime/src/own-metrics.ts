// What the runtime counts for every app: the pool, NATS, the worker's lease, assignments.
import type { Bus } from "@thikaa/bus";
import type { Database } from "@thikaa/db";
import type { Metrics } from "./metrics.ts";

export interface AssignmentMetrics {
  /** A key was taken; from a worker that had died, or one that nobody held. */
  taken(over: boolean): void;
}

/** Keys held and taken of one kind. */
export function assignmentMetrics(
  metrics: Metrics | undefined,
  kind: string,
  held: () => number,
): AssignmentMetrics {
  if (metrics === undefined) return { taken() {} };
  const { assignmentsHeld, assignmentsTaken } = processMetrics(metrics);
  metrics.beforeScrape(() => assignmentsHeld.set({ kind }, held()));
  return { taken: (over) => assignmentsTaken.inc({ kind, from: over ? "dead_worker" : "nobody" }) };
}

/** Counts leases lost. */
export function leaseMetrics(metrics: Metrics | undefined, role: string): () => void {
  if (metrics === undefined) return () => {};
  const { leasesLost } = processMetrics(metrics);
  leasesLost.inc({ role }, 0);
  return () => leasesLost.inc({ role });
}

/** The pool's use and NATS, read from memory at each scrape. */
export function foundationMetrics(metrics: Metrics, database: Database, bus: Bus): void {
  const { poolSize, poolConnections, poolWaiting, busConnected } = processMetrics(metrics);
  metrics.beforeScrape(() => {
    const { busy, idle, waiting } = database.use;
    poolSize.set(database.poolSize);
    poolConnections.set({ state: "busy" }, busy);
    poolConnections.set({ state: "idle" }, idle);
    poolWaiting.set(waiting);
    busConnected.set(bus.connected ? 1 : 0);
  });
}

/** Every metric of the runtime, by its use. */
export function processMetrics(metrics: Metrics) {
  return {
    poolSize: metrics.gauge(
      "database_pool_size",
      "The most connections to PostgreSQL that this process opens.",
    ),
    poolConnections: metrics.gauge(
      "database_pool_connections",
      "Open connections to PostgreSQL: state is busy or idle.",
      ["state"],
    ),
    poolWaiting: metrics.gauge(
      "database_pool_waiting",
      "Statements and transactions that wait for a connection. Above 0 for long: the pool is too small, or PostgreSQL too slow.",
    ),
    busConnected: metrics.gauge(
      "nats_connected",
      "1 while the connection to NATS stands. At 0 everything goes on, up to a second later.",
    ),
    leasesLost: metrics.counter(
      "worker_leases_lost_total",
      "Times that this process could not renew its lease in time and let everything go.",
      ["role"],
    ),
    assignmentsHeld: metrics.gauge(
      "assignments_held",
      "Keys (connections, shards) that this process owns now.",
      ["kind"],
    ),
    assignmentsTaken: metrics.counter(
      "assignments_taken_total",
      "Keys taken: from is nobody (given back in order) or dead_worker (a take-over).",
      ["kind", "from"],
    ),
  };
}
