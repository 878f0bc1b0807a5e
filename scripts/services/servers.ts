// PostgreSQL, NATS and the media store for the services: those given by URL, else ones of their own that are kept running.
import { join } from "node:path";
import { findNatsServer, keepNats, keepPostgres } from "@thikaa/embedded";
import type { Keeper, KeptServer } from "@thikaa/embedded";
import { keepMediaStore } from "./media-store.ts";

export interface Servers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly mediaStoreUrl: string;
  /** `null` when it was given by URL: then it is not ours to start or stop. */
  readonly postgres: Keeper | null;
  readonly nats: Keeper | null;
  readonly mediaStore: Keeper | null;
}

export interface ServersConfig {
  readonly databaseUrl: string | null;
  readonly natsUrl: string | null;
  readonly mediaStoreUrl?: string | null;
  readonly dataDir: string;
  readonly say: (line: string) => void;
}

// Every process has pools of its own, and several of each app run.
const maxConnections = 300;

/** Starts what is not given by URL. Whatever fails, nothing of it stays behind. */
export async function startServers(config: ServersConfig): Promise<Servers> {
  const { dataDir, say } = config;
  const kept: KeptServer[] = [];
  const keep = async (starting: Promise<KeptServer>): Promise<KeptServer> => {
    const server = await starting;
    kept.push(server);
    return server;
  };
  try {
    const postgres =
      config.databaseUrl === null
        ? await keep(
            keepPostgres(
              { dataDir: join(dataDir, "postgres"), durable: true, maxConnections },
              say,
            ),
          )
        : null;
    const nats = config.natsUrl === null ? await keep(ownNats(config)) : null;
    const mediaStore =
      config.mediaStoreUrl == null
        ? await keep(keepMediaStore(join(dataDir, "media-store"), say))
        : null;
    return {
      databaseUrl: config.databaseUrl ?? postgres?.url ?? "",
      natsUrl: config.natsUrl ?? nats?.url ?? "",
      mediaStoreUrl: config.mediaStoreUrl ?? mediaStore?.url ?? "",
      postgres: postgres?.keeper ?? null,
      nats: nats?.keeper ?? null,
      mediaStore: mediaStore?.keeper ?? null,
    };
  } catch (error) {
    for (const { keeper } of kept.toReversed()) await keeper.stop();
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
