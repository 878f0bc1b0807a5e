// A service: what every app's `start` returns, and how its HTTP side and its end are used by a pod, by standalone and by tests.
import type { RequestListener } from "node:http";
import type { Metrics } from "./metrics.ts";

export interface Service {
  readonly name: string;
  /** Answers HTTP requests for the app's own paths; absent when it has none. */
  readonly handle?: RequestListener;
  /** What it counts; told by its own server, or by the process that holds it. */
  readonly metrics?: Metrics;
  /** Whether it can do its work now; a pod's readiness. */
  ready(): boolean;
  /** Finishes what is in flight, gives back what it holds and closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** Stops services one after the other, in the order given; every one is stopped, and the first failure is thrown at the end. */
export async function stopAll(services: readonly { stop(): Promise<void> }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const service of services)
    await service.stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
