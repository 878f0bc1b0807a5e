// Finds a nats-server program: on the PATH, in the cache, else from the distribution's packages.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { searchPath, serverEnvironment } from "./config.ts";
import { lockFolder } from "./folder-lock.ts";
import { fetchNatsServer } from "./nats-fetch.ts";
import { isNewEnough } from "./version.ts";

const run = promisify(execFile);
const FETCH_DEADLINE_MS = 300_000;

/** Where to look, and who is told. */
export interface FindNatsOptions {
  /** Holds what was fetched; made when missing. */
  cacheDir: string;
  /** Receives one short line per step. */
  onProgress?: ((line: string) => void) | undefined;
  /** Folders to search instead of the PATH. */
  path?: string[] | undefined;
}

/** The path of a nats-server that is new enough. Rejects with one line that says what is missing and how to supply it. */
export async function findNatsServer(options: FindNatsOptions): Promise<string> {
  for (const folder of options.path ?? searchPath()) {
    const installed = await usable(join(folder, "nats-server"));
    if (installed !== undefined) return installed;
  }
  await mkdir(options.cacheDir, { recursive: true });
  const cached = join(options.cacheDir, "nats-server");
  return (await usable(cached)) ?? (await fetchOnce(cached, options));
}

/** The version a nats-server program says it has; rejects when it can't be run. */
export async function natsVersion(binary: string): Promise<string> {
  const { stdout, stderr } = await run(binary, ["--version"], {
    env: serverEnvironment(),
    timeout: 10_000,
  });
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout + stderr)?.[1];
  if (version === undefined) throw new Error(`${binary} does not say its version.`);
  return version;
}

async function fetchOnce(cached: string, options: FindNatsOptions): Promise<string> {
  // Two starts at the same time must not fetch twice or see half a file.
  const lock = await lockFolder(options.cacheDir, FETCH_DEADLINE_MS);
  if (lock === undefined)
    throw new Error(
      "Another process has been fetching nats-server for minutes. Stop it, then start again.",
    );
  try {
    const fetchedByAnother = await usable(cached);
    if (fetchedByAnother !== undefined) return fetchedByAnother;
    options.onProgress?.("Fetching nats-server from the distribution's packages …");
    await fetchNatsServer(cached);
    const fetched = await usable(cached);
    if (fetched === undefined) throw new Error("it does not run on this machine or is too old");
    return fetched;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `nats-server can't be had from the distribution's packages: ${reason}. Put nats-server (2.10.23 or newer) on the PATH, or give a running one in NATS_URL.`,
    );
  } finally {
    lock.release();
  }
}

async function usable(binary: string): Promise<string | undefined> {
  const version = await natsVersion(binary).catch(() => undefined);
  return version !== undefined && isNewEnough(version) ? binary : undefined;
}
