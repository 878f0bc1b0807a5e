// Starts one PostgreSQL and one nats-server for a whole test run, and removes them afterwards.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
// By path: vitest loads this one file without the "source" condition that the tests' own imports are resolved with.
import {
  findNatsServer,
  startNats,
  startPostgres,
  tryLockFolder,
} from "../../embedded/src/index.ts";
import { givenNatsUrl, givenPostgresUrl } from "./config.ts";
import "./provided.ts";

const CACHE = join(import.meta.dirname, "../../../.cache/nats");
const PREFIX = "thikaa-test-";
/** A file system in memory, where Linux has one. */
const MEMORY = "/dev/shm";
/** What the databases and the log of a run may take. */
const ROOM_BYTES = 4 * 1024 ** 3;

interface Started {
  url: string;
  stop(): Promise<void>;
}

/** Called by vitest before the first test file; what it returns is called after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const folder = await mkdtemp(join((await hasRoomInMemory()) ? MEMORY : tmpdir(), PREFIX));
  const lock = await tryLockFolder(folder);
  const settled = await Promise.allSettled([startTestPostgres(folder), startTestNats(folder)]);
  const started = settled
    .filter((result) => result.status === "fulfilled")
    .map(({ value }) => value);
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    lock?.release();
    await rm(folder, { recursive: true, force: true });
  };
  const failure = settled.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  const [postgres, nats] = started;
  project.provide("postgresUrl", postgres?.url ?? "");
  project.provide("natsUrl", nats?.url ?? "");
  return stop;
}

function startTestPostgres(folder: string): Promise<Started> {
  const given = givenPostgresUrl();
  if (given !== undefined) return Promise.resolve({ url: given, stop: () => Promise.resolve() });
  return startPostgres({ dataDir: join(folder, "postgres"), durable: false, maxConnections: 300 });
}

async function startTestNats(folder: string): Promise<Started> {
  const given = givenNatsUrl();
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() };
  await mkdir(CACHE, { recursive: true });
  const binary = await findNatsServer({
    cacheDir: CACHE,
    onProgress: (line) => process.stderr.write(`▸ ${line}\n`),
  });
  return startNats({ binary, dataDir: join(folder, "nats") });
}

/** Each test copies and drops hundreds of small files: in memory that takes a third of the time. */
async function hasRoomInMemory(): Promise<boolean> {
  const room = await statfs(MEMORY).catch(() => null);
  return room !== null && room.bavail * room.bsize >= ROOM_BYTES;
}

/** A killed run can't remove its folder; its lock is free then, and its servers were stopped by their watchers. */
async function removeAbandoned(): Promise<void> {
  for (const place of [MEMORY, tmpdir()])
    for (const name of await readdir(place).catch(() => []))
      if (name.startsWith(PREFIX)) await removeUnlocked(join(place, name));
}

async function removeUnlocked(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const lock = await tryLockFolder(folder);
  if (lock === undefined) return;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  lock.release();
}
