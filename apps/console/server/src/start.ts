// Starts the console: the admin API and the start page over one database and one bus.
import { Bus } from "@thikaa/bus";
import { checkSchema, Database } from "@thikaa/db";
import { createLog, Metrics, serveHttp, startLoop, withHealth } from "@thikaa/runtime";
import type { Service } from "@thikaa/runtime";
import { Vault } from "@thikaa/vault";
import { createApp } from "./app.ts";
import type { ConsoleConfig } from "./config.ts";
import type { House } from "./house.ts";

/** Starts the console. Rejects when the database is away or has another schema, or when NATS can't be reached. */
export async function start(config: ConsoleConfig): Promise<Service> {
  const log = config.log ?? createLog({ name: "console", level: config.logLevel ?? "info" });
  const vault = new Vault(config.masterKey);
  const database = new Database({
    url: config.databaseUrl,
    applicationName: "thikaa-console",
    maxConnections: 8,
  });
  const stopping = new AbortController();
  let bus: Bus | undefined;
  try {
    await checkSchema(database);
    bus = await Bus.connect({ url: config.natsUrl, namespace: config.namespace, name: "console" });
    const house: House = { config, database, bus, vault, log, stopping: stopping.signal };
    return await serve(house, () => stopping.abort());
  } catch (error) {
    await bus?.close();
    await database.close();
    throw error;
  }
}

async function serve(house: House, abort: () => void): Promise<Service> {
  const { config, database, bus, log } = house;
  const handle = await createApp(house);
  const readiness = watchDatabase(house);
  const ready = () => !house.stopping.aborted && bus.connected && readiness.reachable();
  const http =
    config.http === null
      ? null
      : await serveHttp(
          config.http,
          withHealth({ ready, metrics: new Metrics("console"), next: handle }),
        );
  if (http !== null) log.info({ url: http.url }, "the console listens");
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    abort();
    await readiness.stop();
    await http?.close();
    await bus.close();
    await database.close();
  };
  return { name: "console", handle, ready, stop: () => (stopped ??= stop()) };
}

/** Whether PostgreSQL answers, asked every other second: readiness is asked too often to query at each time. */
function watchDatabase({ database, log }: House): {
  reachable: () => boolean;
  stop: () => Promise<void>;
} {
  let reachable = true;
  const loop = startLoop({
    everyMs: 2_000,
    work: async () => {
      await database.query({ text: "SELECT 1" });
      reachable = true;
      return false;
    },
    onError: (error) => {
      if (reachable) log.warn({ error }, "PostgreSQL can't be reached");
      reachable = false;
    },
  });
  return { reachable: () => reachable, stop: () => loop.stop() };
}
