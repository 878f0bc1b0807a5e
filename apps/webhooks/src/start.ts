// Starts the webhooks app: its worker, its shards, the reader and the deliverer.
import { createEgress, userUrlRules } from "@thikaa/egress";
import {
  Assignments,
  createLog,
  Metrics,
  notFound,
  openFoundation,
  serveApp,
  stopAll,
} from "@thikaa/runtime";
import type { Foundation, HttpServer, Log, Service } from "@thikaa/runtime";
import { eventType, storeShards } from "@thikaa/schema";
import { Vault } from "@thikaa/vault";
import { z } from "zod";
import { defaultPoolSize } from "./config.ts";
import type { WebhooksConfig } from "./config.ts";
import { Deliverer } from "./deliverer.ts";
import { webhookMetrics } from "./metrics.ts";
import { Reader } from "./reader.ts";
import { Secrets } from "./secrets.ts";

const role = "webhooks";
const shardKind = "webhook-shard";
const shardKeys = Array.from({ length: storeShards }, (_, shard) => String(shard));

/** What the reader wants to know of a ring: it reads the events themselves from their table. */
const toldEvents = z.object({
  store_id: z.string(),
  events: z.array(z.object({ event: eventType })),
});

interface Stoppable {
  stop(): Promise<void>;
}

/** Starts the app; rejects with a plain reason when it can't. */
export async function start(config: WebhooksConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: role, level: config.logLevel });
  const metrics = new Metrics(role);
  // What was opened, to be closed in reverse: at the end, and when the start fails half-way.
  const opened: Stoppable[] = [];
  try {
    const vault = new Vault(config.masterKey);
    const { poolSize = defaultPoolSize } = config;
    const foundation = await openFoundation({ ...config, name: role, poolSize, log, metrics });
    opened.push(foundation);
    const { database, worker } = foundation;
    const egress = createEgress(
      userUrlRules({
        production: config.environment === "production",
        allowPrivateNetwork: config.allowPrivateNetwork,
      }),
    );
    opened.push({ stop: () => egress.close() });
    const deliverer = Deliverer.start({
      database,
      worker,
      log,
      egress,
      secrets: new Secrets(vault),
      metrics: webhookMetrics(metrics),
    });
    opened.push(deliverer);
    const assignments = startReading({ ...foundation, log, metrics, deliverer }, opened);
    const ready = (): boolean => worker.alive && assignments.settled;
    const server =
      config.http === null ? null : await serveApp(config.http, { ready, metrics, next: notFound });
    if (server !== null) opened.push(stoppable(server));
    log.info(
      {
        environment: config.environment,
        allow_private_network: config.allowPrivateNetwork,
        url: server?.url,
      },
      "webhooks started",
    );
    return { name: role, metrics, ready, stop: stopOnce(opened) };
  } catch (error) {
    await stopOnce(opened)().catch(() => {});
    throw error;
  }
}

/** Takes shards and reads their stores' events. */
function startReading(
  parts: Pick<Foundation, "database" | "bus" | "worker"> & {
    log: Log;
    metrics: Metrics;
    deliverer: Deliverer;
  },
  opened: Stoppable[],
): Assignments {
  const { database, bus, worker, log, metrics, deliverer } = parts;
  const reader = Reader.start({
    database,
    log,
    owns: (shard) => deliverer.owns(shard),
    onDelivery: (endpoint) => deliverer.due(endpoint),
  });
  opened.push(reader);
  const listener = bus.listen(
    { ring: "event", to: ["*"] },
    (ring) =>
      reader.ring(
        ring.store_id,
        ring.events.map(({ event }) => event),
      ),
    toldEvents,
  );
  opened.push({ stop: async () => listener.close() });
  const assignments = Assignments.start({
    database,
    worker,
    log,
    metrics,
    kind: shardKind,
    keys: async () => shardKeys,
    acquired: async (held) => {
      const end = await deliverer.take(held);
      reader.poll();
      return end;
    },
  });
  opened.push(assignments);
  return assignments;
}

function stoppable(server: HttpServer): Stoppable {
  return { stop: () => server.close() };
}

function stopOnce(opened: readonly Stoppable[]): () => Promise<void> {
  let stopped: Promise<void> | null = null;
  return () => (stopped ??= stopAll(opened.toReversed()));
}
