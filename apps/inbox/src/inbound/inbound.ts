// The inbound side: one loop over the shards that this process holds.
import type { Bus } from "@thikaa/bus";
import { storeShard } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { startLoop } from "@thikaa/runtime";
import type { Assignments, Log, Metrics, Worker } from "@thikaa/runtime";
import { finishItems } from "./finish-items.ts";

export interface InboundParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
  readonly metrics: Metrics;
}

const batch = 200;

/** Starts finishing inbound items, on their ring and each second. A batch that fails is tried again with fewer items, down to one. */
export function startInbound(parts: InboundParts): { ring(): void; stop(): Promise<void> } {
  const finishedItems = parts.metrics.counter("inbound_finished_total", "Inbound items finished.");
  const keptItems = parts.metrics.counter("inbound_kept_total", "Inbound items kept whole because they were no readable message.");
  let limit = batch;
  const loop = startLoop({
    everyMs: 1_000,
    onError: (error) => {
      limit = Math.max(1, Math.floor(limit / 4));
      parts.log.warn({ error, limit }, "inbound items could not be finished");
    },
    work: async () => {
      const shards = [...parts.assignments.held.values()].map(({ key, epoch }) => ({ shard: Number(key), epoch }));
      if (!parts.worker.alive || shards.length === 0) return false;
      const result = await finishItems(parts.database, { worker: parts.worker.id, shards }, limit);
      finishedItems.inc(result.finished);
      keptItems.inc(result.kept);
      for (const shard of new Set(result.stores.map(storeShard))) parts.bus.ring({ ring: "unnumbered", to: [shard] }, { shard });
      const wasFull = result.finished + result.kept >= limit;
      limit = Math.min(batch, limit * 2);
      return wasFull;
    },
  });
  const listener = parts.bus.listen({ ring: "in", to: ["*"] }, () => loop.ring());
  return {
    ring: loop.ring,
    async stop() {
      listener.close();
      await loop.stop();
    },
  };
}
