// Starts every app as its own process over PostgreSQL and NATS, and ends them: apps first, PostgreSQL last.
import { join } from "node:path";
import { migrate } from "@thikaa/db";
import { freePort } from "@thikaa/embedded";
import { AppProcess } from "./app-process.ts";
import type { ServicesConfig } from "./config.ts";
import { loadSecrets } from "./secrets.ts";
import type { Secrets } from "./secrets.ts";
import { startServers } from "./servers.ts";
import type { Servers } from "./servers.ts";

/** The apps by role, with their folder below `apps`. */
const folders = {
  gateway: "gateway",
  channel: "channel-telegram",
  whatsapp: "channel-whatsapp-qr",
  inbox: "inbox",
  webhooks: "webhooks",
  console: "console/server",
  simulator: "simulator",
} as const;
export type Role = keyof typeof folders;

export interface Services {
  readonly servers: Servers;
  readonly secrets: Secrets;
  /** The processes of a role, oldest first. */
  of(role: Role): readonly AppProcess[];
  /** Starts or ends processes (the youngest first) until there are so many; resolves when all are ready. */
  scale(role: Role, count: number): Promise<void>;
  /** Ends everything: all apps at once, then the media store and NATS, then PostgreSQL. */
  stop(): Promise<void>;
}

export interface Reports {
  /** One line for people. */
  readonly say: (line: string) => void;
  /** What a process writes itself. */
  readonly output: (name: string, text: string) => void;
}

const readyWithinMs = 60_000;

/** Starts servers, schema and apps, and resolves when all are ready. Whatever fails, what had been started is ended again. */
export async function startServices(config: ServicesConfig, reports: Reports): Promise<Services> {
  const secrets = await loadSecrets(config.dataDir, config);
  const servers = await startServers({ ...config, say: reports.say });
  const services = new RunningServices({ config, reports, servers, secrets });
  try {
    await migrate(servers.databaseUrl, (name) => reports.say(`Database schema: ${name}`));
    await services.startAll();
    return services;
  } catch (error) {
    await services.stop();
    throw error;
  }
}

interface Surroundings {
  readonly config: ServicesConfig;
  readonly reports: Reports;
  readonly servers: Servers;
  readonly secrets: Secrets;
}

class RunningServices implements Services {
  readonly servers: Servers;
  readonly secrets: Secrets;
  readonly #surroundings: Surroundings;
  readonly #processes = new Map<Role, AppProcess[]>();
  readonly #made = new Map<Role, number>();
  /** The first gateway's: where links to media lead when no other address is given. */
  readonly #publicPort = freePort();
  /** Where the stand-ins listen, when the simulator runs. */
  #standIns: { readonly telegram: string; readonly whatsapp: string } | null = null;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.servers = surroundings.servers;
    this.secrets = surroundings.secrets;
  }

  of(role: Role): readonly AppProcess[] {
    return this.#processes.get(role) ?? [];
  }

  async startAll(): Promise<void> {
    const { counts, sandbox } = this.#surroundings.config;
    if (sandbox) {
      const [telegram, whatsapp] = [String(await freePort()), String(await freePort())];
      this.#standIns = { telegram, whatsapp };
      await this.scale("simulator", 1);
    }
    await Promise.all([
      this.scale("inbox", counts.inboxes),
      this.scale("webhooks", counts.webhooks),
      this.scale("channel", counts.channels),
      this.scale("whatsapp", counts.whatsapp ?? 0),
      this.scale("console", 1),
      this.scale("gateway", counts.gateways),
    ]);
  }

  async scale(role: Role, count: number): Promise<void> {
    const processes = this.#processes.get(role) ?? [];
    this.#processes.set(role, processes);
    const started: AppProcess[] = [];
    while (processes.length < count) {
      const made = await this.#make(role);
      processes.push(made);
      started.push(made);
    }
    const ended = processes.splice(count);
    await Promise.all([
      ...started.map((made) => this.#begin(made)),
      ...ended.map((process) => process.stop()),
    ]);
  }

  async stop(): Promise<void> {
    const all = [...this.#processes.values()].flat();
    await Promise.all(all.map((process) => process.stop()));
    await this.servers.mediaStore?.stop();
    await this.servers.nats?.stop();
    await this.servers.postgres?.stop();
  }

  async #begin(made: AppProcess): Promise<void> {
    await made.start();
    await made.untilReady(readyWithinMs);
    this.#surroundings.reports.say(`${made.name.padEnd(14)} ${made.url}  (process ${made.pid})`);
  }

  async #make(role: Role): Promise<AppProcess> {
    const { config, reports } = this.#surroundings;
    const number = (this.#made.get(role) ?? 0) + 1;
    this.#made.set(role, number);
    const name = `${role}-${number}`;
    const environment = await this.#environment(role);
    return new AppProcess({
      name,
      app: folders[role],
      host: config.host,
      port: role === "gateway" && number === 1 ? await this.#publicPort : await freePort(),
      metricsPort: await freePort(),
      readyPath: role === "simulator" ? "/simulator" : "/readyz",
      environment: (await config.environmentOf?.({ name, environment })) ?? environment,
      say: reports.say,
      output: (text) => reports.output(name, text),
    });
  }

  /** Only what the app needs: the admin token goes to the console alone. */
  async #environment(role: Role): Promise<Record<string, string>> {
    const { config, servers, secrets } = this.#surroundings;
    const {
      THIKAA_ADMIN_TOKEN: _token,
      THIKAA_MASTER_KEY: _key,
      ...inherited
    } = config.environment;
    const standIns = this.#standIns;
    if (role === "simulator")
      return {
        ...inherited,
        TELEGRAM_STAND_IN_PORT: standIns?.telegram ?? "",
        WHATSAPP_STAND_IN_PORT: standIns?.whatsapp ?? "",
        WHATSAPP_STAND_IN_STATE: join(config.dataDir, "sandbox/whatsapp.json"),
      };
    return {
      ...inherited,
      DATABASE_URL: servers.databaseUrl,
      NATS_URL: servers.natsUrl,
      MEDIA_STORE_URL: servers.mediaStoreUrl,
      THIKAA_MASTER_KEY: secrets.masterKey,
      ...(role === "inbox" && {
        PUBLIC_URL: inherited["PUBLIC_URL"] ?? `http://127.0.0.1:${await this.#publicPort}`,
      }),
      ...(role === "console" && { THIKAA_ADMIN_TOKEN: secrets.adminToken }),
      ...(role === "channel" &&
        standIns !== null && { TELEGRAM_SANDBOX_URL: `http://127.0.0.1:${standIns.telegram}` }),
      ...(role === "whatsapp" &&
        standIns !== null && {
          WHATSAPP_WEB_SANDBOX_URL: `http://127.0.0.1:${standIns.whatsapp}`,
        }),
    };
  }
}
