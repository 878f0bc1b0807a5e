// The inbound side: one loop over the shards that this process holds.
import type { Bus } from "@thikaa/bus";
import { isUnavailable } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { recordSpan, startLoop, Trouble } from "@thikaa/runtime";
import type { Assignments, Log, Metrics, Worker } from "@thikaa/runtime";
import { z } from "zod";
import { finishItems, setFirstAside } from "./finish-items.ts";
import type { HeldShards } from "./items.ts";
import type { MediaAddress } from "./message-media.ts";
import { inboundMetrics } from "../metrics.ts";

/** That it rings is enough. */
const anyRing = z.object({});

export interface InboundParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly assignments: Assignments;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly addressOf: MediaAddress;
}

const batch = 200;

/**
 * Starts finishing inbound items, on their ring and each second. A batch that PostgreSQL refuses is divided, down to one
 * item; that one is taken aside, counted and shown, so that nothing waits behind it.
 */
export function startInbound(parts: InboundParts): { ring(): void; stop(): Promise<void> } {
  const { finishedItems, keptItems, unmatchedReceipts, lag, batchSize } = inboundMetrics(
    parts.metrics,
  );
  const { addressOf } = parts;
  let limit = batch;
  const finishBatch = async (held: HeldShards): Promise<boolean> => {
    const size = limit;
    const result = await finishItems(parts.database, { held, limit: size, addressOf });
    finishedItems.inc(result.finished);
    if (result.finished > 0) batchSize.observe(result.finished);
    for (const { messageId, row } of result.messages) {
      const startedAt = Math.min(Date.now(), row.received_at.getTime());
      lag.observe((Date.now() - startedAt) / 1_000);
      const attributes = { "thikaa.channel": row.channel };
      recordSpan("inbound", { messageId, attributes, startedAt });
    }
    keptItems.inc(result.kept);
    unmatchedReceipts.inc(result.unmatched);
    if (result.unmatched > 0)
      parts.log.info({ receipts: result.unmatched }, "receipts told of messages that nobody knows");
    parts.bus.ringUnnumbered(result.stores);
    limit = Math.min(batch, size * 2);
    return result.more;
  };
  const afterFailure = async (error: unknown, held: HeldShards): Promise<boolean> => {
    if (isUnavailable(error)) throw error;
    parts.log.error({ error, items: limit }, "inbound items could not be finished");
    if (limit === 1) {
      await setFirstAside(parts.database, held);
      keptItems.inc();
    }
    limit = Math.max(1, Math.floor(limit / 4));
    return true;
  };
  const loop = startLoop({
    everyMs: 1_000,
    trouble: new Trouble(parts.log, "inbound items wait"),
    work: async () => {
      const shards = [...parts.assignments.held.values()].map(({ key, epoch }) => ({
        shard: Number(key),
        epoch,
      }));
      if (!parts.worker.alive || shards.length === 0) return false;
      const held = { worker: parts.worker.id, shards };
      return finishBatch(held).catch((error: unknown) => afterFailure(error, held));
    },
  });
  const listener = parts.bus.listen({ ring: "in", to: ["*"] }, () => loop.ring(), anyRing);
  return {
    ring: () => loop.ring(),
    async stop() {
      listener.close();
      await loop.stop();
    },
  };
}
