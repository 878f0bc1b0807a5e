// Services under test, of whatever channel: every app its own process, on servers of their own or on given ones.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { AdminClient } from "@thikaa/sdk";
import { testNamespace } from "@thikaa/testkit";
import { plainEnvironment } from "../services/config.ts";
import type { Counts, ServicesConfig } from "../services/config.ts";
import { startServices } from "../services/start.ts";
import type { Services } from "../services/start.ts";
import { LastLines } from "./last-lines.ts";

export interface RunningOptions {
  readonly counts: Counts;
  /** What every process gets besides its own settings. */
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentOf?: NonNullable<ServicesConfig["environmentOf"]>;
  /** PostgreSQL and NATS for a test that leaves them alone; absent: durable ones of its own, which cost seconds. */
  readonly given?: { readonly databaseUrl: string; readonly natsUrl: string } | undefined;
}

export interface Running {
  readonly services: Services;
  readonly admin: AdminClient;
  readonly database: Database;
  gateways(): readonly string[];
  /** The last lines that the processes and their keepers wrote. */
  lastLines(): string;
  close(): Promise<void>;
}

/** Starts the services, and resolves when all are ready. When they can't be, their last lines are shown. */
export async function runServices(options: RunningOptions): Promise<Running> {
  const lines = new LastLines();
  const folder = await mkdtemp(join(tmpdir(), "thikaa-faults-"));
  const services = await startServices(configFor(options, folder), {
    say: (line) => lines.keep(line),
    output: (name, text) => lines.keep(`${name} | ${text}`),
  }).catch((error: unknown) => {
    process.stderr.write(`${lines.text()}\n`);
    throw error;
  });
  const database = new Database({
    url: services.servers.databaseUrl,
    applicationName: "fault-checker",
    maxConnections: 2,
  });
  return {
    services,
    database,
    admin: new AdminClient({
      baseUrl: services.of("console")[0]?.url ?? "",
      token: services.secrets.adminToken,
    }),
    gateways: () => services.of("gateway").map(({ url }) => url),
    lastLines: () => lines.text(),
    async close() {
      await database.close();
      await services.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configFor(
  { counts, given, environment, environmentOf }: RunningOptions,
  dataDir: string,
): ServicesConfig {
  return {
    counts,
    dataDir,
    host: "127.0.0.1",
    sandbox: false,
    databaseUrl: given?.databaseUrl ?? null,
    natsUrl: given?.natsUrl ?? null,
    masterKey: null,
    adminToken: null,
    environment: {
      ...processEnvironment(),
      ...environment,
      // Others ring on a NATS that is shared.
      ...(given !== undefined && { THIKAA_NAMESPACE: testNamespace() }),
    },
    ...(environmentOf !== undefined && { environmentOf }),
  };
}

/** What every process of a house under test gets, whatever runs in it. */
export function processEnvironment(): Record<string, string> {
  return { ...plainEnvironment(), LOG_LEVEL: "warn", THIKAA_NAMESPACE: "faults" };
}
