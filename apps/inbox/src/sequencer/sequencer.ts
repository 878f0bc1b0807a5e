// The sequencer: gives each store's committed events their numbers, within 20 ms of the ring.
import type { Bus } from "@thikaa/bus";
import { numberEvents } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { startLoop } from "@thikaa/runtime";
import type { Assignments, Log, Metrics, Worker } from "@thikaa/runtime";

export interface SequencerParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
  readonly metrics: Metrics;
}

const batch = 500;
const gatherMs = 5;

/** Starts numbering the events of the shards that this process holds, on their ring and each second. */
export function startSequencer(parts: SequencerParts): { ring(): void; stop(): Promise<void> } {
  const numbered = parts.metrics.counter("events_numbered_total", "Events that got their number.");
  const rung = new Set<number>();
  let sweepAt = 0;
  const loop = startLoop({
    everyMs: 1_000,
    gatherMs,
    onError: (error) => parts.log.warn({ error }, "events could not be numbered"),
    work: async () => {
      const now = performance.now();
      const all = now >= sweepAt;
      if (all) sweepAt = now + 1_000;
      let more = false;
      for (const key of parts.assignments.held.keys()) {
        const shard = Number(key);
        if (!parts.worker.alive || (!all && !rung.has(shard))) continue;
        rung.delete(shard);
        if (await numberShard(parts, shard, (count) => numbered.inc(count))) {
          rung.add(shard);
          more = true;
        }
      }
      return more;
    },
  });
  const listener = parts.bus.listen({ ring: "unnumbered", to: ["*"] }, ({ shard }) => {
    rung.add(shard);
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
  count: (events: number) => void,
): Promise<boolean> {
  const stores = await numberEvents(parts.database, shard, batch);
  let total = 0;
  for (const { storeId, events } of stores) {
    total += events.length;
    parts.bus.ring({ ring: "event", to: [storeId] }, { store_id: storeId, events });
  }
  count(total);
  return total >= batch;
}
