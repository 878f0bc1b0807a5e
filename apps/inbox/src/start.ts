// Starts the inbox: inbound items become messages and events, events get their numbers, deadlines are kept.
import { Bus } from "@thikaa/bus";
import { checkSchema, Database } from "@thikaa/db";
import { Assignments, createLog, Metrics, notFound, serveHttp, stopAll, withHealth, Worker } from "@thikaa/runtime";
import type { Service } from "@thikaa/runtime";
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
  const database = new Database({ url: config.databaseUrl, applicationName: "thikaa-inbox", maxConnections: 6 });
  await checkSchema(database);
  const bus = await Bus.connect({ url: config.natsUrl, namespace: config.namespace, name: "inbox" });
  const worker = await Worker.start({ database, role, log });
  const rings: (() => void)[] = [];
  const assign = (kind: string, count: number) =>
    Assignments.start({
      database,
      worker,
      log,
      kind,
      keys: async () => Array.from({ length: count }, (_, key) => String(key)),
      // What waited in a shard before it was ours is looked for at once.
      acquired: async () => {
        for (const ring of rings) ring();
        return async () => {};
      },
    });
  const shards = assign("inbound-shard", inboundShards);
  const sequences = assign("sequencer-shard", storeShards);
  const chores = assign("housekeeping", 1);
  const inbound = startInbound({ database, bus, worker, log, metrics, assignments: shards });
  const sequencer = startSequencer({ database, bus, worker, log, metrics, assignments: sequences });
  const housekeeping = startHousekeeping({ database, bus, worker, log, assignments: chores });
  rings.push(inbound.ring, sequencer.ring);
  let stopping = false;
  const ready = () => !stopping && worker.alive && shards.settled && sequences.settled;
  const server = config.http === null ? null : await serveHttp(config.http, withHealth({ ready, metrics, next: notFound }));
  return {
    name: "inbox",
    ready,
    async stop() {
      if (stopping) return;
      stopping = true;
      const closing = { stop: async () => server?.close() };
      await stopAll([inbound, sequencer, housekeeping, shards, sequences, chores, worker, bus, database, closing].map(toStoppable));
    },
  };
}

function toStoppable(part: { stop(): Promise<void> } | { close(): Promise<void> }): { stop(): Promise<void> } {
  return "stop" in part ? part : { stop: () => part.close() };
}
