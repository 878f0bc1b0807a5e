// Starts and stops a nats-server for rings: core NATS only, on the loopback address, closed to other users of the machine.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryLockFolder, type FolderLock } from "./folder-lock.ts";
import { isPortFree } from "./free-port.ts";
import { natsVersion } from "./nats-binary.ts";
import { poll } from "./poll.ts";
import { stopMatching } from "./processes.ts";
import { lastLines, startSupervised, type Exit, type Supervised } from "./supervised.ts";
import { assertNatsVersion } from "./version.ts";

const ROLE = "thikaa";
const READY_DEADLINE_MS = 30_000;
const STOP_MS = 5_000;
const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576;

/** How to start nats-server. */
export interface NatsOptions {
  /** The program, from `findNatsServer`. */
  binary: string;
  /** 0 or absent: a free port. */
  port?: number | undefined;
  /** Holds its settings and log, and is made when missing. Absent: a temporary folder, removed by `stop`. */
  dataDir?: string | undefined;
  /** A new one otherwise. Given again with the same port, a server that is started anew keeps its address. */
  password?: string | undefined;
  /** Default 1 MiB. */
  maxPayloadBytes?: number | undefined;
  /** Receives one short line per step. */
  onProgress?: ((line: string) => void) | undefined;
}

/** A running nats-server. */
export interface RunningNats {
  /** With its user and password. Not for logs. */
  url: string;
  pid: number;
  /** Resolves when the server has ended, asked or not. */
  exited: Promise<Exit>;
  /** Ends the server; resolves when it is gone. */
  stop(): Promise<void>;
}

/** A password for a server that is to keep it over several starts. */
export function natsPassword(): string {
  return randomBytes(24).toString("hex");
}

interface Home {
  folder: string;
  settings: string;
  isTemporary: boolean;
}

/**
 * Starts nats-server. Its password lies in a file only we can read, never on the command line, so other local users can't
 * listen to the rings. Rejects when the program is too old, the folder or the port is in use, or it does not come up.
 */
export async function startNats(options: NatsOptions): Promise<RunningNats> {
  assertNatsVersion(await natsVersion(options.binary));
  const port = options.port ?? 0;
  if (port !== 0 && !(await isPortFree(port)))
    throw new Error(`Port ${port} for nats-server is already in use on 127.0.0.1.`);
  const home = await openHome(options.dataDir);
  const lock = await tryLockFolder(home.folder);
  if (lock === undefined)
    throw new Error(
      `The NATS folder ${home.folder} is in use by another running process. Stop that one, or use another data folder.`,
    );
  try {
    await clearLeftovers(home);
    options.onProgress?.("Starting NATS …");
    return await launch(home, options, lock);
  } catch (error) {
    lock.release();
    await removeTemporary(home);
    throw error;
  }
}

async function openHome(dataDir: string | undefined): Promise<Home> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const folder = await realpath(dataDir ?? (await mkdtemp(join(tmpdir(), "thikaa-nats-"))));
  return { folder, settings: join(folder, "nats-server.conf"), isTemporary: dataDir === undefined };
}

/** For the holder of the folder's lock: a server found on it has lost its owner. */
async function clearLeftovers(home: Home): Promise<void> {
  const stopped = await stopMatching(
    ({ program, args }) => program === "nats-server" && args.includes(home.settings),
    [
      { signal: "SIGTERM", waitMs: STOP_MS },
      { signal: "SIGKILL", waitMs: STOP_MS },
    ],
  );
  if (!stopped)
    throw new Error(
      `A nats-server of an earlier start still runs on ${home.folder}. End it, then start again.`,
    );
  for (const name of await readdir(home.folder)) {
    if (name.endsWith(".ports") || name === "nats-server.conf")
      await rm(join(home.folder, name), { force: true });
  }
}

async function launch(home: Home, options: NatsOptions, lock: FolderLock): Promise<RunningNats> {
  const password = options.password ?? natsPassword();
  await writeSettings(home, {
    password,
    port: options.port ?? 0,
    maxPayload: options.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
  });
  const server = startServer(home, options.binary);
  const port = await portWhenReady(home, server);
  if (port === undefined) {
    await server.stop();
    throw new Error(
      `nats-server did not start. Its last words:\n${await lastLines(logFile(home))}`,
    );
  }
  void server.exited.then(() => lock.release());
  return {
    url: `nats://${ROLE}:${password}@127.0.0.1:${port}`,
    pid: server.pid,
    exited: server.exited,
    stop: async () => {
      await server.stop();
      await removeTemporary(home);
    },
  };
}

async function writeSettings(
  home: Home,
  values: { password: string; port: number; maxPayload: number },
): Promise<void> {
  // −1 asks the server for a port that is free; it tells us which in its ports file.
  const port = values.port === 0 ? -1 : values.port;
  const lines = [
    `host: "127.0.0.1"`,
    `port: ${port}`,
    `max_payload: ${values.maxPayload}`,
    `ports_file_dir: ${JSON.stringify(home.folder)}`,
    `authorization { user: ${ROLE}, password: "${values.password}" }`,
  ];
  const file = await open(home.settings, "wx", 0o600);
  await file.writeFile(`${lines.join("\n")}\n`);
  await file.close();
}

function startServer(home: Home, binary: string): Supervised {
  return startSupervised({
    command: binary,
    args: ["-c", home.settings],
    mark: home.settings,
    workingFolder: home.folder,
    logFile: logFile(home),
    gracefulSignal: "SIGTERM",
    forcedSignal: "SIGKILL",
    graceMs: STOP_MS,
  });
}

async function portWhenReady(home: Home, server: Supervised): Promise<number | undefined> {
  let ended = false;
  void server.exited.then(() => (ended = true));
  const port = await poll(READY_DEADLINE_MS, async () => {
    if (ended) return 0;
    const names = (await readdir(home.folder)).filter((name) =>
      name.endsWith(`_${server.pid}.ports`),
    );
    const text =
      names[0] === undefined
        ? ""
        : await readFile(join(home.folder, names[0]), "utf8").catch(() => "");
    const found = /nats:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  });
  return port === 0 ? undefined : port;
}

function logFile(home: Home): string {
  return join(home.folder, "nats-server.log");
}

async function removeTemporary(home: Home): Promise<void> {
  if (home.isTemporary) await rm(home.folder, { recursive: true, force: true });
}
