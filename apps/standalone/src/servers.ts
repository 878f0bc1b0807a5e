// PostgreSQL and NATS: the operator's by URL, else embedded ones in the data folder.
import { join } from "node:path";
import { findNatsServer, startNats, startPostgres } from "@thikaa/embedded";
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
      ? await startPostgres({
          dataDir: join(config.dataDir, "postgres"),
          durable: true,
          maxConnections,
          onProgress: progress,
        })
      : null;
  try {
    const nats = config.natsUrl === null ? await startOwnNats(config, progress) : null;
    return {
      databaseUrl: config.databaseUrl ?? postgres?.url ?? "",
      natsUrl: config.natsUrl ?? nats?.url ?? "",
      ownDatabase: postgres !== null,
      async stop() {
        await nats?.stop();
        await postgres?.stop();
      },
    };
  } catch (error) {
    await postgres?.stop();
    throw error;
  }
}

async function startOwnNats(config: StandaloneConfig, progress: (line: string) => void) {
  // Beside the checkout and not in the data folder: a program outlives the data.
  const binary = await findNatsServer({
    cacheDir: join(import.meta.dirname, "../../../.cache/nats"),
    onProgress: progress,
  });
  return startNats({ binary, dataDir: join(config.dataDir, "nats"), onProgress: progress });
}
