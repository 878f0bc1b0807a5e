// Starts the console: the admin API and the start page over one database and one bus.
import { createLog, Metrics, openFoundation, serveApp, startLoop, Trouble } from "@thikaa/runtime";
import type { Foundation, Service } from "@thikaa/runtime";
import { Vault } from "@thikaa/vault";
import { createApp } from "./app.ts";
import { defaultPoolSize } from "./config.ts";
import type { ConsoleConfig } from "./config.ts";
import type { House } from "./house.ts";

const name = "console";

/** Starts the console. Rejects when the database is away, has another schema or no room, or when NATS can't be reached. */
export async function start(config: ConsoleConfig): Promise<Service> {
  const log = config.log ?? createLog({ name, level: config.logLevel ?? "info" });
  const metrics = new Metrics(name);
  const vault = new Vault(config.masterKey);
  const { poolSize = defaultPoolSize } = config;
  const foundation = await openFoundation({ ...config, name, poolSize, log, metrics });
  const { database, bus } = foundation;
  const stopping = new AbortController();
  try {
    const house: House = { config, database, bus, vault, log, stopping: stopping.signal };
    return await serve(house, { foundation, metrics, abort: () => stopping.abort() });
  } catch (error) {
    await foundation.stop();
    throw error;
  }
}

async function serve(
  house: House,
  { foundation, metrics, abort }: { foundation: Foundation; metrics: Metrics; abort: () => void },
): Promise<Service> {
  const { config, bus, log } = house;
  const handle = await createApp(house);
  const readiness = watchDatabase(house);
  const ready = () => !house.stopping.aborted && bus.connected && readiness.reachable();
  const http =
    config.http === null ? null : await serveApp(config.http, { ready, metrics, next: handle });
  if (http !== null) log.info({ url: http.url }, "the console listens");
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    abort();
    await readiness.stop();
    await http?.close();
    await foundation.stop();
  };
  return { name, metrics, handle, ready, stop: () => (stopped ??= stop()) };
}

/** Whether PostgreSQL answers, asked every other second: readiness is asked too often to query at each time. */
function watchDatabase({ database, log }: House): {
  reachable: () => boolean;
  stop: () => Promise<void>;
} {
  let reachable = true;
  const trouble = new Trouble(log, "PostgreSQL could not be asked");
  const loop = startLoop({
    everyMs: 2_000,
    work: async () => {
      await database.query({ text: "SELECT 1" });
      reachable = true;
      return false;
    },
    trouble: {
      passed: () => trouble.passed(),
      failed: (error) => {
        reachable = false;
        trouble.failed(error);
      },
    },
  });
  return { reachable: () => reachable, stop: () => loop.stop() };
}
