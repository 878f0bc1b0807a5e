// The data folder of the embedded PostgreSQL: made once, atomically, and freed of what a killed start left behind.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lchown, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { serverEnvironment } from "./config.ts";
import { underIdentity, type Identity } from "./identity.ts";
import { stopMatching, type RunningProcess } from "./processes.ts";

const run = promisify(execFile);

/** The role that owns everything, and the database made for the application. */
export const ROLE = "thikaa";
const UNFINISHED = "data.new-";
const PROGRAMS = new Set(["postgres", "initdb"]);
const STOP_STEPS = [
  { signal: "SIGINT", waitMs: 20_000 },
  { signal: "SIGQUIT", waitMs: 10_000 },
] as const;

/** What lies in the folder given by the caller. */
export interface DataPaths {
  home: string;
  data: string;
  password: string;
  log: string;
}

/** The paths inside `home`. */
export function dataPaths(home: string): DataPaths {
  return {
    home,
    data: join(home, "data"),
    password: join(home, "password"),
    log: join(home, "postgres.log"),
  };
}

/**
 * Stops servers that an earlier, killed start left on this folder and removes its lock files and unfinished folders.
 * Only for the holder of the folder's lock: then a server found here has no living owner.
 */
export async function clearLeftovers(paths: DataPaths): Promise<void> {
  const stopped = await stopMatching((candidate) => worksOn(candidate, paths), [...STOP_STEPS]);
  if (!stopped)
    throw new Error(
      `A PostgreSQL of an earlier start still works on ${paths.data} and does not stop. End it, then start again.`,
    );
  // Its pid may belong to a stranger by now, and PostgreSQL would refuse to start while that one lives.
  await rm(join(paths.data, "postmaster.pid"), { force: true });
  for (const name of await readdir(paths.home)) {
    if (name.startsWith(UNFINISHED))
      await rm(join(paths.home, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Makes the data folder when it is missing. A kill in the middle leaves only an unfinished folder that the next start removes. */
export async function initialise(
  paths: DataPaths,
  how: { initdb: string; identity: Identity; durable: boolean },
): Promise<void> {
  await ensurePassword(paths, how.identity);
  const unfinished = join(paths.home, UNFINISHED + randomBytes(6).toString("hex"));
  const locale = [
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "-E",
    "UTF8",
  ];
  const access = ["-U", ROLE, "-A", "scram-sha-256", "--pwfile", paths.password];
  const { command, args } = underIdentity(how.identity, how.initdb, [
    "-D",
    unfinished,
    ...access,
    ...locale,
    ...(how.durable ? [] : ["--no-sync"]),
  ]);
  const owner =
    how.identity.uid === undefined ? {} : { uid: how.identity.uid, gid: how.identity.gid };
  await run(command, args, { cwd: paths.home, env: serverEnvironment(), ...owner }).catch(
    (error: { stderr?: string; message: string }) => {
      throw new Error(
        `The PostgreSQL data folder ${paths.data} could not be made: ${error.stderr?.trim() || error.message}`,
      );
    },
  );
  await rename(unfinished, paths.data);
  if (how.durable) await syncFolder(paths.home);
}

/** The role's password. */
export async function readPassword(paths: DataPaths): Promise<string> {
  const password = await readFile(paths.password, "utf8").catch(() => "");
  if (password.trim() !== "") return password.trim();
  throw new Error(
    `The password of the PostgreSQL data in ${paths.data} is missing: put the file ${paths.password} back.`,
  );
}

async function ensurePassword(paths: DataPaths, identity: Identity): Promise<void> {
  if (!existsSync(paths.password)) {
    const partial = `${paths.password}.new`;
    await rm(partial, { force: true });
    const file = await open(partial, "wx", 0o600);
    await file.writeFile(`${randomBytes(24).toString("hex")}\n`);
    await file.sync();
    await file.close();
    await rename(partial, paths.password);
  }
  if (identity.owner !== undefined) await lchown(paths.password, identity.owner, identity.owner);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync();
  await folder.close();
}

function worksOn(candidate: RunningProcess, paths: DataPaths): boolean {
  if (!PROGRAMS.has(candidate.program)) return false;
  const unfinished = join(paths.home, UNFINISHED);
  return [candidate.workingFolder, ...candidate.args].some(
    (path) => path === paths.data || path.startsWith(unfinished),
  );
}
