// Starts the gateway: the Messaging API, media, the docs and its health, on one HTTP handler.
import type { RequestListener } from "node:http";
import { openBlobStore } from "@thikaa/blobs";
import { Bus } from "@thikaa/bus";
import { checkSchema, Database } from "@thikaa/db";
import { createLog, Metrics, serveHttp, stopAll, withHealth } from "@thikaa/runtime";
import type { Service } from "@thikaa/runtime";
import { Accepting } from "@thikaa/sending";
import { MediaLinks, Vault } from "@thikaa/vault";
import { KeyDirectory } from "./admission/key-directory.ts";
import { RateLimit } from "./admission/rate-limit.ts";
import { StoreDirectory } from "./admission/store-directory.ts";
import type { GatewayConfig } from "./config.ts";
import { docsListener } from "./docs/docs.ts";
import { isMediaUrl, mediaListener } from "./media/media.ts";
import { messagingListener } from "./messaging.ts";

const poolSize = 12;
const answerWithinMs = 10_000;

/** Starts the gateway. Rejects when PostgreSQL or NATS can't be reached, or the schema is not this release's. */
export async function start(config: GatewayConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: "gateway", level: config.logLevel });
  const metrics = new Metrics("gateway");
  const blobs = config.mediaStoreUrl == null ? null : await openBlobStore(config.mediaStoreUrl);
  const database = new Database({
    url: config.databaseUrl,
    applicationName: "thikaa-gateway",
    maxConnections: poolSize,
  });
  await checkSchema(database);
  const bus = await Bus.connect({
    url: config.natsUrl,
    namespace: config.namespace,
    name: "gateway",
  });
  let stopping = false;
  const keys = new KeyDirectory({ database, bus, vault: new Vault(config.masterKey) });
  const rateLimit = new RateLimit(database);
  bus.listen({ ring: "key", to: ["*"] }, ({ instance_id }) => rateLimit.forget(instance_id));
  const messaging = messagingListener({
    database,
    bus,
    keys,
    rateLimit,
    log,
    metrics,
    answerWithinMs: config.answerWithinMs ?? answerWithinMs,
    stores: new StoreDirectory({ database, bus }),
    accepting: new Accepting({ database, bus }),
  });
  await bus.flush();
  const handle = route({
    messaging,
    docs: docsListener({ publicUrl: config.publicUrl }),
    media: mediaListener({ database, blobs, log, links: new MediaLinks(config.masterKey) }),
  });
  const ready = () => !stopping;
  const server =
    config.http === null
      ? null
      : await serveHttp(config.http, withHealth({ ready, metrics, next: handle }));
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
        { stop: () => bus.close() },
        { stop: () => database.close() },
        { stop: async () => blobs?.close() },
      ]);
    },
  };
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
