// Starts and stops the embedded PostgreSQL 18.
import { existsSync } from "node:fs";
import { mkdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { tryLockFolder, type FolderLock } from "./folder-lock.ts";
import { freePort, isPortFree } from "./free-port.ts";
import { chooseIdentity, underIdentity, type Identity } from "./identity.ts";
import { poll } from "./poll.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import {
  ROLE,
  clearLeftovers,
  dataPaths,
  initialise,
  readPassword,
  type DataPaths,
} from "./postgres-data.ts";
import { lastLines, startSupervised, type Exit, type Supervised } from "./supervised.ts";

const DATABASE = "thikaa";
// After a crash PostgreSQL replays its log before it accepts anyone.
const READY_DEADLINE_MS = 120_000;
const FAST_SHUTDOWN_MS = 30_000;
const PORT_TRIES = 5;

/** How to start PostgreSQL. */
export interface PostgresOptions {
  /** Holds the data, the password and the server's log; made when missing. */
  dataDir: string;
  /** 0 or absent: a free port. */
  port?: number | undefined;
  /** False: nothing is forced to disk, much faster, for tests only. */
  durable: boolean;
  /** Default 200. */
  maxConnections?: number | undefined;
  /** Receives one short line per step. */
  onProgress?: ((line: string) => void) | undefined;
  /** For root: the ways to shed its rights, in order. Default: all that this package knows. */
  identities?: Identity[] | undefined;
}

/** A running PostgreSQL. */
export interface RunningPostgres {
  /** Connection string, with the password, of the database `thikaa`. Not for logs. */
  url: string;
  pid: number;
  /** Resolves when the server has ended, asked or not. */
  exited: Promise<Exit>;
  /** Fast shutdown: open transactions are rolled back, committed ones are kept. Resolves when the server is gone. */
  stop(): Promise<void>;
}

interface Launch {
  paths: DataPaths;
  identity: Identity;
  options: PostgresOptions;
  postgres: string;
}

/**
 * Starts PostgreSQL on `dataDir`, making the data at the first start and recovering after a kill at any moment.
 * It listens on 127.0.0.1 only and asks for the password in the file `password`. Rejects, in plain words, when the
 * folder is in use by a living process, the port is taken, or the server does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { initdb, postgres } = await postgresBinaries();
  const paths = await openHome(options.dataDir);
  const lock = await lockHome(paths);
  try {
    await clearLeftovers(paths);
    const identity = await chooseIdentity({
      binary: postgres,
      folder: paths.home,
      ...(options.identities && { candidates: options.identities }),
    });
    if (!existsSync(paths.data)) {
      options.onProgress?.("Creating the PostgreSQL data folder …");
      await initialise(paths, { initdb, identity, durable: options.durable });
    }
    options.onProgress?.("Starting PostgreSQL …");
    return await launchOnPort({ paths, identity, options, postgres }, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openHome(dataDir: string): Promise<DataPaths> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return dataPaths(await realpath(dataDir));
}

async function lockHome(paths: DataPaths): Promise<FolderLock> {
  const lock = await tryLockFolder(paths.home);
  if (lock === undefined)
    throw new Error(
      `The PostgreSQL data in ${paths.home} is in use by another running process. Stop that one, or use another data folder.`,
    );
  return lock;
}

async function launchOnPort(launch: Launch, lock: FolderLock): Promise<RunningPostgres> {
  const wanted = launch.options.port ?? 0;
  if (wanted !== 0 && !(await isPortFree(wanted)))
    throw new Error(`Port ${wanted} for PostgreSQL is already in use on 127.0.0.1.`);
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted === 0 ? await freePort() : wanted;
    const server = startServer(launch, port);
    if (await isReady(launch.paths, server)) return finishStart({ launch, server, port, lock });
    await server.stop();
    // Another process may have taken the free port before PostgreSQL did.
    if (wanted === 0 && attempt < PORT_TRIES && !(await isPortFree(port))) continue;
    throw new Error(
      `PostgreSQL did not start on ${launch.paths.data}. Its last words:\n${await lastLines(launch.paths.log)}`,
    );
  }
}

function startServer({ paths, identity, options, postgres }: Launch, port: number): Supervised {
  const settings = Object.entries(serverSettings(options)).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  return startSupervised({
    ...underIdentity(identity, postgres, ["-D", paths.data, "-p", `${port}`, ...settings]),
    mark: paths.data,
    workingFolder: paths.data,
    logFile: paths.log,
    gracefulSignal: "SIGINT",
    forcedSignal: "SIGQUIT",
    graceMs: FAST_SHUTDOWN_MS,
    uid: identity.uid,
    gid: identity.gid,
  });
}

function serverSettings(options: PostgresOptions): Record<string, string | number> {
  const careless = {
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_wal_size: "4GB",
  };
  return {
    listen_addresses: "127.0.0.1",
    // No socket file: its path must be short, and a data folder's need not be.
    unix_socket_directories: "",
    max_connections: options.maxConnections ?? 200,
    // Failed statements stay out of the log: their text and details can hold what users wrote.
    log_min_messages: "log",
    log_min_error_statement: "panic",
    log_checkpoints: "off",
    // Our statements are short and many: compiling one costs more than running it.
    jit: "off",
    // Queues rewrite the same pages over and over; checkpoints far apart write each of them less often.
    shared_buffers: "256MB",
    max_wal_size: "4GB",
    checkpoint_timeout: "15min",
    // Files of the log that are used again: making a new one holds every commit up for 30 ms.
    min_wal_size: "1GB",
    ...(options.durable ? {} : careless),
  };
}

/** The server itself says in its pid file when it accepts connections; false when it ended before. */
async function isReady(paths: DataPaths, server: Supervised): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => (ended = true));
  const result = await poll(READY_DEADLINE_MS, async () => {
    if (ended) return "ended";
    const lines = (
      await readFile(join(paths.data, "postmaster.pid"), "utf8").catch(() => "")
    ).split("\n");
    return Number(lines[0]) === server.pid && lines[7]?.trim() === "ready" ? "ready" : undefined;
  });
  return result === "ready";
}

async function finishStart(started: {
  launch: Launch;
  server: Supervised;
  port: number;
  lock: FolderLock;
}): Promise<RunningPostgres> {
  const { launch, server, port, lock } = started;
  void server.exited.then(() => lock.release());
  try {
    const address = `postgresql://${ROLE}:${await readPassword(launch.paths)}@127.0.0.1:${port}`;
    await ensureDatabase(`${address}/postgres`);
    return {
      url: `${address}/${DATABASE}`,
      pid: server.pid,
      exited: server.exited,
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}
