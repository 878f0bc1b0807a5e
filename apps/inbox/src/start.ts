// Starts the inbox: inbound items become messages and events, events get their numbers, deadlines are kept.
import {
  Assignments,
  createLog,
  Metrics,
  notFound,
  openFoundation,
  serveApp,
  stopAll,
} from "@thikaa/runtime";
import type { Foundation, Log, Service } from "@thikaa/runtime";
import { inboundShards, storeShards } from "@thikaa/schema";
import { MediaLinks } from "@thikaa/vault";
import { startBacklog } from "./backlog.ts";
import { defaultPoolSize } from "./config.ts";
import type { InboxConfig } from "./config.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { startInbound } from "./inbound/inbound.ts";
import { mediaAddresses } from "./inbound/message-media.ts";
import type { MediaAddress } from "./inbound/message-media.ts";
import { startSequencer } from "./sequencer/sequencer.ts";

/** Starts the inbox. Waits while PostgreSQL or NATS can't be reached; rejects when the schema is not this release's. */
export async function start(config: InboxConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: "inbox", level: config.logLevel });
  const metrics = new Metrics("inbox");
  const { poolSize = defaultPoolSize } = config;
  const foundation = await openFoundation({ ...config, name: "inbox", poolSize, log, metrics });
  const { worker } = foundation;
  const addressOf = mediaAddresses(new MediaLinks(config.masterKey), config.publicUrl);
  const work = startWork({ ...foundation, log, metrics, addressOf });
  let stopping = false;
  const ready = () => !stopping && worker.alive && work.settled();
  const server =
    config.http === null ? null : await serveApp(config.http, { ready, metrics, next: notFound });
  return {
    name: "inbox",
    metrics,
    ready,
    async stop() {
      if (stopping) return;
      stopping = true;
      await stopAll([work, foundation, { stop: async () => server?.close() }]);
    },
  };
}

interface WorkParts extends Pick<Foundation, "database" | "bus" | "worker"> {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly addressOf: MediaAddress;
}

/** The three works of the inbox, each over its own keys. */
function startWork(parts: WorkParts): { settled(): boolean; stop(): Promise<void> } {
  const rings: (() => void)[] = [];
  // What waited in a shard before it was ours is looked for at once.
  const ringAll = () => {
    for (const ring of rings) ring();
  };
  const shards = assign(parts, {
    kind: "inbound-shard",
    count: inboundShards,
    onAcquired: ringAll,
  });
  const sequences = assign(parts, {
    kind: "sequencer-shard",
    count: storeShards,
    onAcquired: ringAll,
  });
  const chores = assign(parts, { kind: "housekeeping", count: 1, onAcquired: ringAll });
  const inbound = startInbound({ ...parts, assignments: shards });
  const sequencer = startSequencer({ ...parts, assignments: sequences });
  const housekeeping = startHousekeeping({ ...parts, assignments: chores });
  const backlog = startBacklog({ ...parts, assignments: chores });
  rings.push(
    () => inbound.ring(),
    () => sequencer.ring(),
  );
  return {
    settled: () => shards.settled && sequences.settled,
    stop: () => stopAll([inbound, sequencer, housekeeping, backlog, shards, sequences, chores]),
  };
}

function assign(
  parts: WorkParts,
  keys: { kind: string; count: number; onAcquired: () => void },
): Assignments {
  return Assignments.start({
    ...parts,
    kind: keys.kind,
    keys: async () => Array.from({ length: keys.count }, (_, key) => String(key)),
    acquired: async () => {
      keys.onAcquired();
      return async () => {};
    },
  });
}
