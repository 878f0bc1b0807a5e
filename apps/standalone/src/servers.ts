// PostgreSQL and NATS: the operator's by URL, else embedded ones in the data folder, kept running.
import { join } from "node:path";
import { findNatsServer, keepNats, keepPostgres } from "@thikaa/embedded";
import type { KeptServer } from "@thikaa/embedded";
import type { StandaloneConfig } from "./config.ts";

export interface Servers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Whether the database is this house's alone: then every worker in it is from an earlier run of ours. */
  readonly ownDatabase: boolean;
  /** Stops what was started here, PostgreSQL last. */
  stop(): Promise<void>;
}

const maxConnections = 100;

/** Starts what is not given by URL. One line of progress for each download and start. */
export async function startServers(
  config: StandaloneConfig,
  progress: (line: string) => void,
): Promise<Servers> {
  const postgres =
    config.databaseUrl === null
      ? await keepPostgres(
          {
            dataDir: join(config.dataDir, "postgres"),
            durable: true,
            maxConnections,
            onProgress: progress,
          },
          progress,
        )
      : null;
  try {
    const nats = config.natsUrl === null ? await startOwnNats(config, progress) : null;
    return {
      databaseUrl: config.databaseUrl ?? postgres?.url ?? "",
      natsUrl: config.natsUrl ?? nats?.url ?? "",
      ownDatabase: postgres !== null,
      async stop() {
        await nats?.keeper.stop();
        await postgres?.keeper.stop();
      },
    };
  } catch (error) {
    await postgres?.keeper.stop();
    throw error;
  }
}

async function startOwnNats(
  config: StandaloneConfig,
  progress: (line: string) => void,
): Promise<KeptServer> {
  // Beside the checkout and not in the data folder: a program outlives the data.
  const binary = await findNatsServer({
    cacheDir: join(import.meta.dirname, "../../../.cache/nats"),
    onProgress: progress,
  });
  return keepNats(
    { binary, dataDir: join(config.dataDir, "nats"), onProgress: progress },
    progress,
  );
}
