// Starts what runs a connector in a process, and stops it: database, bus, worker, connections, webhook door.
import { openBlobStore } from "@thikaa/blobs";
import { saveChannelDescription } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { createDownloader, userUrlRules } from "@thikaa/egress";
import { createLog, Metrics, openFoundation, serveApp } from "@thikaa/runtime";
import type { Foundation, Log, Service } from "@thikaa/runtime";
import { Vault } from "@thikaa/vault";
import type { Connector } from "../connector.ts";
import { Claimer } from "./claimer.ts";
import { Connections } from "./connections.ts";
import { defaultPoolSize } from "./host-config.ts";
import type { HostConfig } from "./host-config.ts";
import { Measures } from "./measures.ts";
import type { HostParts } from "./parts.ts";
import { MediaFetcher } from "./media-fetcher.ts";
import { Receiver } from "./receiver.ts";
import { Settler } from "./settler.ts";
import { createWebhookListener } from "./webhooks.ts";

export interface HostOptions {
  readonly connector: Connector;
  readonly config: HostConfig;
}

type Closing = readonly [what: string, close: () => Promise<void>];

/**
 * Runs a connector: takes its share of the channel's connections and keeps them open until `stop`. Rejects in plain words
 * when the database, its schema or NATS is not there; then nothing is left open.
 */
export async function startConnectorHost({ connector, config }: HostOptions): Promise<Service> {
  const name = `channel-${connector.channels.join("-")}`;
  const log = config.log ?? createLog({ name, level: config.logLevel });
  // What was opened, to be closed in the opposite order.
  const open: Closing[] = [];
  try {
    return await startParts({ connector, config, name, log, open });
  } catch (error) {
    await closeAll(open, log);
    throw error;
  }
}

async function startParts({
  connector,
  config,
  name,
  log,
  open,
}: HostOptions & { name: string; log: Log; open: Closing[] }): Promise<Service> {
  const vault = new Vault(config.masterKey);
  const metrics = new Metrics(name);
  const { poolSize = defaultPoolSize } = config;
  const foundation = await openFoundation({ ...config, name, poolSize, log, metrics });
  open.push(["foundation", () => foundation.stop()]);
  const { database, bus, worker } = foundation;
  await describeChannels(connector, database);
  const measures = new Measures(metrics);
  const settler = new Settler({ database, bus, log, measures });
  open.push(["settler", () => settler.stop(1_000)]);
  const { mediaFetcher, downloader } = await openMedia({ config, log, metrics, open, foundation });
  const receiver = new Receiver({ connector, database, bus, log, measures, mediaFetcher });
  const parts: HostParts = {
    connector,
    config,
    database,
    bus,
    vault,
    worker,
    log,
    metrics,
    measures,
    claimer: new Claimer({ database, worker, connector }),
    settler,
    mediaFetcher,
    downloader,
    receiver,
  };
  const state = { stopping: false };
  const handle = createWebhookListener(parts);
  const connections = new Connections(parts);
  open.push(["connections", () => connections.stop()]);
  bus.listen({ ring: "connection", to: ["*"] }, ({ channel }) => {
    if (connector.channels.includes(channel)) connections.nudge();
  });
  const ready = () => !state.stopping && worker.alive && connections.settled;
  if (config.http !== null) {
    const server = await serveApp(config.http, { ready, metrics, next: handle });
    open.push(["http", () => server.close(1_000)]);
  }
  return {
    name,
    handle,
    metrics,
    ready,
    stop: stopOnce(() => ((state.stopping = true), closeAll(open, log))),
  };
}

/** What moves files: customers' from the provider into the media store, and users' from their addresses. */
async function openMedia(parts: {
  config: HostConfig;
  log: Log;
  metrics: Metrics;
  open: Closing[];
  foundation: Foundation;
}): Promise<Pick<HostParts, "mediaFetcher" | "downloader">> {
  const { config, log, metrics, open, foundation } = parts;
  const blobs = await openBlobStore(config.mediaStoreUrl);
  open.push(["media store", () => blobs.close()]);
  const mediaFetcher = new MediaFetcher({ ...foundation, log, metrics, blobs });
  open.push(["media fetcher", () => mediaFetcher.stop()]);
  const downloader = createDownloader(
    userUrlRules({
      production: config.environment === "production",
      allowPrivateNetwork: config.allowPrivateNetwork ?? false,
    }),
  );
  open.push(["downloader", () => downloader.close()]);
  return { mediaFetcher, downloader };
}

async function describeChannels(connector: Connector, database: Database): Promise<void> {
  for (const channel of connector.channels) {
    const capabilities = connector.capabilities[channel];
    if (capabilities === undefined)
      throw new Error(`The connector serves '${channel}' but does not say what it can carry.`);
    await saveChannelDescription(database, channel, {
      capabilities,
      credentials: [...connector.credentials.fields],
      ...(connector.pairing !== undefined && { pairing: connector.pairing.description }),
    });
  }
}

function stopOnce(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | null = null;
  return () => (stopped ??= stop());
}

/** Closes the last opened first; what can't be closed cleanly is said and the rest goes on. */
async function closeAll(open: readonly Closing[], log: Log): Promise<void> {
  for (const [what, close] of open.toReversed()) {
    await close().catch((error: unknown) =>
      log.warn({ error, what }, "something did not close cleanly"),
    );
  }
}
