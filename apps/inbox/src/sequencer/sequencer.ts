// The sequencer: gives each store's committed events their numbers, within 20 ms of the ring.
import type { Bus } from "@thikaa/bus";
import { numberEvents } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Assignments, Log, Metrics, Worker } from "@thikaa/runtime";
import type { StoreEvent } from "@thikaa/schema";
import { sequencerMetrics } from "../metrics.ts";

export interface SequencerParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
  readonly metrics: Metrics;
}

const batch = 500;
/** A batch costs more than its events: what comes within so long is numbered together. */
const gatherMs = 10;

/** Starts numbering the events of the shards that this process holds, on their ring and each second. */
export function startSequencer(parts: SequencerParts): { ring(): void; stop(): Promise<void> } {
  const { numbered, lag, batchSize } = sequencerMetrics(parts.metrics);
  const told = (batched: readonly StoreEvent[]) => {
    if (batched.length === 0) return;
    numbered.inc(batched.length);
    batchSize.observe(batched.length);
    for (const { created_at } of batched)
      lag.observe(Math.max(0, Date.now() - Date.parse(created_at)) / 1_000);
  };
  const rung = new Set<number>();
  let sweepAt = 0;
  const loop = startLoop({
    everyMs: 1_000,
    gatherMs,
    trouble: new Trouble(parts.log, "events could not be numbered"),
    work: async () => {
      const now = performance.now();
      const all = now >= sweepAt;
      if (all) sweepAt = now + 1_000;
      let more = false;
      for (const key of parts.assignments.held.keys()) {
        const shard = Number(key);
        if (!parts.worker.alive || (!all && !rung.has(shard))) continue;
        rung.delete(shard);
        if (await numberShard(parts, shard, told)) {
          rung.add(shard);
          more = true;
        }
      }
      return more;
    },
  });
  const listener = parts.bus.listen({ ring: "unnumbered", to: [] }, ({ shards }) => {
    for (const shard of shards) rung.add(shard);
    loop.ring();
  });
  return {
    ring: () => loop.ring(),
    async stop() {
      listener.close();
      await loop.stop();
    },
  };
}

async function numberShard(
  parts: SequencerParts,
  shard: number,
  told: (events: readonly StoreEvent[]) => void,
): Promise<boolean> {
  const stores = await numberEvents(parts.database, shard, batch);
  let total = 0;
  for (const { storeId, events } of stores) {
    total += events.length;
    parts.bus.ring({ ring: "event", to: [storeId] }, { store_id: storeId, events });
  }
  told(stores.flatMap(({ events }) => events));
  return total >= batch;
}
