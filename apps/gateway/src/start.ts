// Starts the gateway: the Messaging API, media, the docs and its health, on one HTTP handler.
import type { RequestListener } from "node:http";
import { openBlobStore } from "@thikaa/blobs";
import type { BlobStore } from "@thikaa/blobs";
import { createLog, Metrics, openFoundation, serveApp, stopAll, Trouble } from "@thikaa/runtime";
import type { Foundation, Log, Service } from "@thikaa/runtime";
import { Accepting } from "@thikaa/sending";
import { MediaLinks, Vault } from "@thikaa/vault";
import { KeyDirectory } from "./admission/key-directory.ts";
import { RateLimit } from "./admission/rate-limit.ts";
import { StoreDirectory } from "./admission/store-directory.ts";
import { defaultPoolSize } from "./config.ts";
import type { GatewayConfig } from "./config.ts";
import { docsListener } from "./docs/docs.ts";
import { isMediaUrl, mediaListener } from "./media/media.ts";
import { messagingListener } from "./messaging.ts";
import { gatewayMetrics } from "./metrics.ts";

const answerWithinMs = 10_000;

/** Starts the gateway. Waits while PostgreSQL or NATS can't be reached; rejects when the schema is not this release's. */
export async function start(config: GatewayConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: "gateway", level: config.logLevel });
  const metrics = new Metrics("gateway");
  const blobs = config.mediaStoreUrl == null ? null : await openBlobStore(config.mediaStoreUrl);
  const { poolSize = defaultPoolSize } = config;
  const foundation = await openFoundation({ ...config, name: "gateway", poolSize, log, metrics });
  let stopping = false;
  const handle = listenerFor({ config, foundation, blobs, log, metrics });
  await foundation.bus.flush();
  const ready = () => !stopping;
  const server =
    config.http === null ? null : await serveApp(config.http, { ready, metrics, next: handle });
  if (server !== null) log.info({ url: server.url }, "the gateway listens");
  return {
    name: "gateway",
    metrics,
    handle,
    ready,
    async stop() {
      if (stopping) return;
      stopping = true;
      await stopAll([
        { stop: async () => server?.close() },
        foundation,
        { stop: async () => blobs?.close() },
      ]);
    },
  };
}

interface Parts {
  readonly config: GatewayConfig;
  readonly foundation: Foundation;
  readonly blobs: BlobStore | null;
  readonly log: Log;
  readonly metrics: Metrics;
}

function listenerFor({ config, foundation, blobs, log, metrics }: Parts): RequestListener {
  const { database, bus } = foundation;
  const keys = new KeyDirectory({ database, bus, vault: new Vault(config.masterKey) });
  const rateLimit = new RateLimit(database);
  bus.listen({ ring: "key", to: ["*"] }, ({ instance_id }) => rateLimit.forget(instance_id));
  const unavailable = new Trouble(log, "requests are answered 503");
  const measures = gatewayMetrics(metrics);
  const messaging = messagingListener({
    database,
    bus,
    keys,
    rateLimit,
    log,
    unavailable,
    metrics: measures,
    answerWithinMs: config.answerWithinMs ?? answerWithinMs,
    stores: new StoreDirectory({ database, bus }),
    accepting: new Accepting({
      database,
      bus,
      batched: (messages) => measures.acceptSize.observe(messages),
    }),
  });
  const links = new MediaLinks(config.masterKey);
  return route({
    messaging,
    docs: docsListener({ publicUrl: config.publicUrl }),
    media: mediaListener({ database, blobs, log, unavailable, links }),
  });
}

function route(
  listeners: Record<"messaging" | "docs" | "media", RequestListener>,
): RequestListener {
  return (request, response) => {
    const url = request.url ?? "";
    if (/^\/docs(\/|\?|$)|^\/openapi\.json/.test(url)) return listeners.docs(request, response);
    if (isMediaUrl(url)) return listeners.media(request, response);
    return listeners.messaging(request, response);
  };
}
