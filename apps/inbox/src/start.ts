// Starts the inbox: inbound items become messages and events, events get their numbers, deadlines are kept.
import { Bus } from "@thikaa/bus";
import { checkSchema, Database } from "@thikaa/db";
import {
  Assignments,
  createLog,
  Metrics,
  notFound,
  serveHttp,
  stopAll,
  withHealth,
  Worker,
} from "@thikaa/runtime";
import type { Log, Service } from "@thikaa/runtime";
import { inboundShards, storeShards } from "@thikaa/schema";
import type { InboxConfig } from "./config.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { startInbound } from "./inbound/inbound.ts";
import { startSequencer } from "./sequencer/sequencer.ts";

const role = "inbox";

/** Starts the inbox. Rejects when PostgreSQL or NATS can't be reached, or the schema is not this release's. */
export async function start(config: InboxConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: "inbox", level: config.logLevel });
  const metrics = new Metrics("inbox");
  const database = new Database({
    url: config.databaseUrl,
    applicationName: "thikaa-inbox",
    maxConnections: 6,
  });
  await checkSchema(database);
  const bus = await Bus.connect({
    url: config.natsUrl,
    namespace: config.namespace,
    name: "inbox",
  });
  const worker = await Worker.start({ database, role, log });
  const work = startWork({ database, bus, worker, log, metrics });
  let stopping = false;
  const ready = () => !stopping && worker.alive && work.settled();
  const server =
    config.http === null
      ? null
      : await serveHttp(config.http, withHealth({ ready, metrics, next: notFound }));
  return {
    name: "inbox",
    metrics,
    ready,
    async stop() {
      if (stopping) return;
      stopping = true;
      await stopAll([
        work,
        worker,
        { stop: () => bus.close() },
        { stop: () => database.close() },
        { stop: async () => server?.close() },
      ]);
    },
  };
}

interface WorkParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly log: Log;
  readonly metrics: Metrics;
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
  rings.push(
    () => inbound.ring(),
    () => sequencer.ring(),
  );
  return {
    settled: () => shards.settled && sequences.settled,
    stop: () => stopAll([inbound, sequencer, housekeeping, shards, sequences, chores]),
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
