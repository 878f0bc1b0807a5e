// Starts the whole house in one process: servers, schema, every app, one port, and the sandbox.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { start as startTelegram } from "@thikaa/channel-telegram";
import { start as startWhatsAppQr } from "@thikaa/channel-whatsapp-qr";
import { start as startConsole } from "@thikaa/console-server";
import { Database, migrate } from "@thikaa/db";
import { start as startGateway } from "@thikaa/gateway";
import { start as startInbox } from "@thikaa/inbox";
import {
  answerJson,
  createLog,
  Metrics,
  serveHttp,
  startPatiently,
  withHealth,
  withMetrics,
} from "@thikaa/runtime";
import type { HttpServer, PatientStart, Service } from "@thikaa/runtime";
import { AdminClient } from "@thikaa/sdk";
import { start as startSimulator } from "@thikaa/simulator";
import type { SimulatorService } from "@thikaa/simulator";
import { start as startWebhooks } from "@thikaa/webhooks";
import type { StandaloneConfig } from "./config.ts";
import { front } from "./front.ts";
import { openSandbox, restoreBots } from "./sandbox.ts";
import { loadSecrets } from "./secrets.ts";
import type { Secrets } from "./secrets.ts";
import { startServers } from "./servers.ts";
import type { Servers } from "./servers.ts";

export interface Standalone extends Service {
  readonly url: string;
}

/** What was started, to be stopped in the opposite order. */
type Stops = (() => Promise<void>)[];

interface Surroundings {
  readonly config: StandaloneConfig;
  readonly secrets: Secrets;
  readonly servers: Servers;
  readonly simulator: SimulatorService | null;
  /** Where the house is reached from this machine. */
  readonly url: string;
}

/** Starts everything. Whatever fails, what had been started is stopped again. `progress` gets one line a step. */
export async function start(
  config: StandaloneConfig & Pick<PatientStart, "signal">,
  progress: (line: string) => void = () => {},
): Promise<Standalone> {
  const stops: Stops = [];
  try {
    return await startAll(config, progress, stops);
  } catch (error) {
    await stopInOrder(stops);
    throw error;
  }
}

async function startAll(
  config: StandaloneConfig & Pick<PatientStart, "signal">,
  progress: (line: string) => void,
  stops: Stops,
): Promise<Standalone> {
  // The port first: one that is taken is told at once, and whoever asks meanwhile is told to wait.
  let listener: RequestListener = answerStarting;
  const apps: Service[] = [];
  const ready = () => listener !== answerStarting && apps.every((app) => app.ready());
  const next: RequestListener = (request, response) => listener(request, response);
  const told = [
    new Metrics("standalone"),
    () => apps.flatMap(({ metrics }) => metrics ?? []),
  ] as const;
  const server = await serveHttp(
    { host: config.host, port: config.port },
    withHealth(
      ready,
      config.metricsPort === null && isLoopback(config.host) ? withMetrics(...told, next) : next,
    ),
  );
  stops.push(() => server.close(2_000));
  if (config.metricsPort !== null) {
    const address = { host: "127.0.0.1", port: config.metricsPort, setting: "METRICS_PORT" };
    const metrics = await serveHttp(address, withMetrics(...told));
    stops.push(() => metrics.close(0));
  }
  const secrets = await loadSecrets(config);
  const servers = await startServers(config, progress);
  stops.push(() => servers.stop());
  await migratePatiently(servers.databaseUrl, config, progress);
  if (servers.ownDatabase) await forgetWorkers(servers.databaseUrl);
  const simulator = config.sandbox ? await openSimulator(config, stops) : null;
  progress("Starting the apps …");
  listener = await startApps({ config, secrets, servers, simulator, url: server.url }, apps, stops);
  const stopLinking =
    simulator &&
    (await openSandbox({
      dataDir: config.dataDir,
      admin: new AdminClient({ baseUrl: server.url, token: secrets.adminToken }),
      simulator,
      url: server.url,
      log: createLog({ name: "sandbox", level: config.logLevel }),
    }));
  // Once it is open, the port is the first to close; of a start that fails it is the last.
  stops.push(() => server.close(2_000));
  if (stopLinking !== null) stops.push(stopLinking);
  return toService(ready, server, stops);
}

/** A database that we were given may come up after us. */
async function migratePatiently(
  databaseUrl: string,
  { logLevel, signal }: Pick<StandaloneConfig, "logLevel"> & Pick<PatientStart, "signal">,
  progress: (line: string) => void,
): Promise<void> {
  const log = createLog({ name: "standalone", level: logLevel });
  await startPatiently(
    async () => {
      await migrate(databaseUrl, (name) => progress(`Database schema: ${name}`));
      return { stop: () => Promise.resolve() };
    },
    { log, signal },
  );
}

/** With everything that a house of an earlier start knows to be there. */
async function openSimulator(config: StandaloneConfig, stops: Stops): Promise<SimulatorService> {
  const stateFile = join(config.dataDir, "sandbox/whatsapp.json");
  const simulator = await startSimulator({
    environment: config.environment,
    telegram: { host: "127.0.0.1", port: 0 },
    whatsapp: { host: "127.0.0.1", port: 0, stateFile },
  });
  stops.push(() => simulator.stop());
  await restoreBots({ dataDir: config.dataDir, simulator });
  return simulator;
}

/** Starts every app into `started`, and resolves to what answers for all of them. */
async function startApps(
  surroundings: Surroundings,
  started: Service[],
  stops: Stops,
): Promise<RequestListener> {
  const { config, secrets, simulator, url } = surroundings;
  const { logLevel, publicUrl, allowPrivateNetwork } = config;
  const common = commonSettings(surroundings);
  const providers = providerUrls(surroundings);
  const log = (name: string) => createLog({ name, level: logLevel });
  const begin = async <App extends Service>(starting: Promise<App>): Promise<App> => {
    const app = await starting;
    started.push(app);
    stops.push(() => app.stop());
    return app;
  };
  const mediaStoreUrl = config.mediaStoreUrl ?? pathToFileURL(join(config.dataDir, "media")).href;
  await begin(startInbox({ ...common, publicUrl: publicUrl ?? url, log: log("inbox") }));
  await begin(startWebhooks({ ...common, allowPrivateNetwork, log: log("webhooks") }));
  const telegram = await begin(
    startTelegram({
      ...common,
      mediaStoreUrl,
      allowPrivateNetwork,
      log: log("channel-telegram"),
      webhookBase: publicUrl?.startsWith("https://") ? publicUrl : null,
      baseUrls: providers.telegram,
    }),
  );
  await begin(
    startWhatsAppQr({
      ...common,
      mediaStoreUrl,
      allowPrivateNetwork,
      log: log("channel-whatsapp-qr"),
      webhookBase: null,
      baseUrls: providers.whatsapp,
    }),
  );
  const root = await begin(
    startConsole({
      ...common,
      allowPrivateNetwork,
      adminToken: secrets.adminToken,
      sandbox: config.sandbox,
      mediaStoreUrl,
      log: log("console"),
    }),
  );
  const gateway = await begin(startGateway({ ...common, mediaStoreUrl, log: log("gateway") }));
  const mounts = [
    { prefix: "/hooks/tg", service: telegram },
    { prefix: "/api/admin", service: root },
    { prefix: "/console", service: root },
    { prefix: "/pair", service: root },
    ...(simulator === null ? [] : [{ prefix: "/simulator", service: simulator }]),
  ];
  return front({ mounts, root, gateway });
}

/** What every app is told. */
function commonSettings({ config, secrets, servers }: Surroundings) {
  const { environment, namespace, logLevel, publicUrl } = config;
  return {
    environment,
    namespace,
    publicUrl,
    http: null,
    logLevel,
    databaseUrl: servers.databaseUrl,
    natsUrl: servers.natsUrl,
    masterKey: secrets.masterKey,
  };
}

/** Where each provider is for live stores, and for the sandbox. */
function providerUrls({ config, simulator }: Surroundings) {
  return {
    telegram: {
      live: config.telegramUrl ?? "https://api.telegram.org",
      sandbox: simulator?.telegram.url ?? null,
    },
    whatsapp: {
      live: config.whatsappWebUrl ?? "wss://web.whatsapp.com",
      sandbox: simulator?.whatsapp.url ?? null,
    },
  };
}

/** Every worker in a database of our own is from an earlier run: its leases are not waited for. */
async function forgetWorkers(databaseUrl: string): Promise<void> {
  const database = new Database({
    url: databaseUrl,
    applicationName: "thikaa-standalone",
    maxConnections: 1,
  });
  try {
    await database.query({ text: "DELETE FROM workers" });
  } finally {
    await database.close();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function answerStarting(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Retry-After", "2");
  answerJson(response, 503, {
    ok: false,
    error: "unavailable",
    message: "The house is still starting; try again in a moment.",
  });
}

function toService(ready: () => boolean, server: HttpServer, stops: Stops): Standalone {
  let stopped: Promise<void> | undefined;
  return {
    name: "standalone",
    url: server.url,
    ready,
    stop: () => (stopped ??= stopInOrder(stops)),
  };
}

/** Last started, first stopped; each is tried, and the first failure is told at the end. */
async function stopInOrder(stops: Stops): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.toReversed())
    await stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
