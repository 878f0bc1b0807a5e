// PostgreSQL and NATS for the services: those given by URL, else embedded ones that keep their address when started again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpath } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findNatsServer, freePort, startNats, startPostgres } from "@thikaa/embedded";
import type { Exit } from "@thikaa/embedded";
import { Keeper } from "./keeper.ts";
import type { Running } from "./keeper.ts";

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
const natsReadyMs = 10_000;

/** Starts what is not given by URL. Whatever fails, nothing of it stays behind. */
export async function startServers(config: ServersConfig): Promise<Servers> {
  const database =
    config.databaseUrl === null
      ? await ownPostgres(config)
      : { keeper: null, url: config.databaseUrl };
  try {
    const nats =
      config.natsUrl === null ? await ownNats(config) : { keeper: null, url: config.natsUrl };
    return {
      databaseUrl: database.url,
      natsUrl: nats.url,
      postgres: database.keeper,
      nats: nats.keeper,
    };
  } catch (error) {
    await database.keeper?.stop();
    throw error;
  }
}

interface Kept {
  readonly keeper: Keeper;
  readonly url: string;
}

async function ownPostgres({ dataDir, say }: ServersConfig): Promise<Kept> {
  const port = await freePort();
  let url = "";
  const keeper = new Keeper({
    name: "postgres",
    say,
    launch: async () => {
      const server = await startPostgres({
        dataDir: join(dataDir, "postgres"),
        port,
        durable: true,
        maxConnections,
      });
      url = server.url;
      return { pid: server.pid, exited: server.exited.then(howItEnded), stop: () => server.stop() };
    },
  });
  await keeper.start();
  return { keeper, url };
}

/** The first start makes the settings with a password; each later one runs on the same settings, so that the URL holds. */
async function ownNats({ dataDir, say }: ServersConfig): Promise<Kept> {
  const binary = await findNatsServer({
    cacheDir: join(import.meta.dirname, "../../.cache/nats"),
    onProgress: say,
  });
  const folder = join(dataDir, "nats");
  const port = await freePort();
  let url = "";
  const keeper = new Keeper({
    name: "nats-server",
    say,
    launch: async () => {
      if (url !== "") return natsAgain(binary, await realpath(folder), port);
      const server = await startNats({ binary, dataDir: folder, port });
      url = server.url;
      return { pid: server.pid, exited: server.exited.then(howItEnded), stop: () => server.stop() };
    },
  });
  await keeper.start();
  return { keeper, url };
}

async function natsAgain(binary: string, folder: string, port: number): Promise<Running> {
  const child = spawn(binary, ["-c", join(folder, "nats-server.conf")], {
    cwd: folder,
    env: {},
    stdio: "ignore",
    detached: true,
  });
  const exited = new Promise<string>((end) => {
    child.once("exit", (code, signal) => end(howItEnded({ code, signal })));
    child.once("error", (error) => end(`could not start: ${error.message}`));
  });
  const end = performance.now() + natsReadyMs;
  while (child.exitCode === null && !(await listens(port))) {
    if (performance.now() > end) break;
    await pause(10);
  }
  return {
    pid: child.pid ?? 0,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function howItEnded({ code, signal }: Exit): string {
  return `ended (${signal ?? `exit code ${code}`})`;
}
