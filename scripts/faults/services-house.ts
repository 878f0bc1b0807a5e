// The house as a cluster runs it: every app its own process, several of each, each gateway and channel process on wires of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "@thikaa/db";
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, testNamespace } from "@thikaa/testkit";
import { plainEnvironment } from "../services/config.ts";
import type { Counts, ServicesConfig } from "../services/config.ts";
import { startServices } from "../services/start.ts";
import type { Services } from "../services/start.ts";
import { furnish } from "./house.ts";
import type { Furniture, House } from "./house.ts";
import { LastLines } from "./last-lines.ts";
import { Wires } from "./wires.ts";

export interface ServicesHouse extends House {
  readonly services: Services;
  readonly wires: Wires;
  /** What processes that are made from now on get besides their own settings. */
  readonly extra: Record<string, string>;
}

export interface ServicesHouseOptions extends Furniture {
  readonly counts: Counts;
  /** Whether gateways and channel processes get wires of their own; each costs the tests' process some work. */
  readonly wired: boolean;
  /** What every process gets besides its own settings, from the first on. */
  readonly extra?: Readonly<Record<string, string>>;
  /** PostgreSQL and NATS for a test that leaves them alone; absent: durable ones of its own, which cost seconds. */
  readonly given?: { readonly databaseUrl: string; readonly natsUrl: string };
}

/** Starts everything and makes the store, its key with the sink as webhook, and its connections. */
export async function openServicesHouse(options: ServicesHouseOptions): Promise<ServicesHouse> {
  const lines = new LastLines();
  const folder = await mkdtemp(join(tmpdir(), "thikaa-faults-"));
  const [standIn, sink] = await Promise.all([startTelegramStandIn(), startWebhookSink()]);
  const wires = new Wires();
  const extra: Record<string, string> = { ...options.extra };
  const services = await startServices(
    {
      ...configFor(options, folder),
      environment: {
        ...environmentFor(standIn.url),
        // Others ring on a NATS that is shared.
        ...(options.given !== undefined && { THIKAA_NAMESPACE: testNamespace() }),
      },
      environmentOf: (made) => {
        const environment = { ...made.environment, ...extra };
        return options.wired && /^(gateway|channel)-/.test(made.name)
          ? wires.lay({ ...made, environment })
          : Promise.resolve(environment);
      },
    },
    {
      say: (line) => lines.keep(line),
      output: (name, text) => lines.keep(`${name} | ${text}`),
    },
  ).catch((error: unknown) => {
    process.stderr.write(`${lines.text()}\n`);
    throw error;
  });
  const database = new Database({
    url: services.servers.databaseUrl,
    applicationName: "fault-checker",
    maxConnections: 2,
  });
  const admin = new AdminClient({
    baseUrl: services.of("console")[0]?.url ?? "",
    token: services.secrets.adminToken,
  });
  const close = async (): Promise<void> => {
    await database.close();
    await services.stop();
    await Promise.all([standIn.close(), sink.close(), wires.close()]);
    await rm(folder, { recursive: true, force: true });
  };
  const outside = { admin, standIn, sink };
  const furniture = await furnish(outside, options).catch(async (error: unknown) => {
    process.stderr.write(`${lines.text()}\n`);
    await close();
    throw error;
  });
  const gateways = () => services.of("gateway").map(({ url }) => url);
  const lastLines = () => lines.text();
  const own = { services, wires, extra, database, gateways, lastLines, close };
  return { ...outside, ...furniture, ...own };
}

function configFor(
  { counts, given }: ServicesHouseOptions,
  dataDir: string,
): Omit<ServicesConfig, "environment"> {
  return {
    counts,
    dataDir,
    host: "127.0.0.1",
    sandbox: false,
    databaseUrl: given?.databaseUrl ?? null,
    natsUrl: given?.natsUrl ?? null,
    masterKey: null,
    adminToken: null,
  };
}

/** What every process of a house under test gets. */
export function environmentFor(telegramUrl: string): Record<string, string> {
  return {
    ...plainEnvironment(),
    LOG_LEVEL: "warn",
    THIKAA_NAMESPACE: "faults",
    TELEGRAM_API_URL: telegramUrl,
  };
}
