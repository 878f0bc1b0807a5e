// PostgreSQL and NATS for the services: those given by URL, else embedded ones that are kept running.
import { join } from "node:path";
import { findNatsServer, keepNats, keepPostgres } from "@thikaa/embedded";
import type { Keeper, KeptServer } from "@thikaa/embedded";

export interface Servers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** `null` when it was given by URL: then it is not ours to start or stop. */
  readonly postgres: Keeper | null;
  readonly nats: Keeper | null;
}

export interface ServersConfig {
  readonly databaseUrl: string | null;
  readonly natsUrl: string | null;
  readonly dataDir: string;
  readonly say: (line: string) => void;
}

// Every process has pools of its own, and several of each app run.
const maxConnections = 300;

/** Starts what is not given by URL. Whatever fails, nothing of it stays behind. */
export async function startServers(config: ServersConfig): Promise<Servers> {
  const { dataDir, say } = config;
  const postgres =
    config.databaseUrl === null
      ? await keepPostgres(
          { dataDir: join(dataDir, "postgres"), durable: true, maxConnections },
          say,
        )
      : null;
  try {
    const nats = config.natsUrl === null ? await ownNats(config) : null;
    return {
      databaseUrl: config.databaseUrl ?? postgres?.url ?? "",
      natsUrl: config.natsUrl ?? nats?.url ?? "",
      postgres: postgres?.keeper ?? null,
      nats: nats?.keeper ?? null,
    };
  } catch (error) {
    await postgres?.keeper.stop();
    throw error;
  }
}

async function ownNats({ dataDir, say }: ServersConfig): Promise<KeptServer> {
  const binary = await findNatsServer({
    cacheDir: join(import.meta.dirname, "../../.cache/nats"),
    onProgress: say,
  });
  return keepNats({ binary, dataDir: join(dataDir, "nats") }, say);
}
