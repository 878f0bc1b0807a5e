// What the processes of a house hold after all garbage is collected: memory and open files by role, connections to PostgreSQL by application.
import { readdir, readFile, rm } from "node:fs/promises";
import { waitFor } from "@thikaa/testkit";
import type { ServicesHouse } from "../faults/services-house.ts";
import { memoryFile } from "./config.ts";

/** Numbers by what they count, like `gateway: live MiB`. */
export type Resources = ReadonlyMap<string, number>;

const roles = ["gateway", "channel", "inbox", "webhooks", "console"] as const;
const mebibyte = 1_048_576;

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/**
 * Measures. V8 lets a heap grow to several times what lives in it before it collects in earnest, and keeps free pages for
 * later: the same live 40 MiB were seen in anything from 180 to 360 MiB. So each process first collects as if memory were
 * short; then what is resident stays within 2 % from the second minute of a steady load on. `folder` is the collector's.
 */
export async function measure(house: ServicesHouse, folder: string): Promise<Resources> {
  const found = new Map<string, number>();
  for (const role of roles) {
    const pids = house.services.of(role).flatMap(({ pid }) => pid ?? []);
    const memory = await Promise.all(pids.map((pid) => memoryOf(pid, folder)));
    found.set(
      `${role}: live MiB`,
      sum(memory.map((each) => each.heapUsed + each.external)) / mebibyte,
    );
    found.set(`${role}: resident MiB`, sum(memory.map(({ rss }) => rss)) / mebibyte);
    found.set(`${role}: open files`, sum(await Promise.all(pids.map(filesOf))));
  }
  const { rows } = await house.database.query<{ name: string; count: number }>({
    text: `SELECT application_name AS name, count(*)::int AS count FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND application_name <> 'fault-checker' GROUP BY 1 ORDER BY 1`,
  });
  for (const { name, count } of rows) found.set(`${name}: connections to PostgreSQL`, count);
  return found;
}

/** Has a process collect its garbage, and reads what it wrote down then. */
async function memoryOf(pid: number, folder: string): Promise<Memory> {
  const file = memoryFile(pid, folder);
  await rm(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const text = await waitFor(() => readFile(file, "utf8"), {
    what: `the memory of process ${pid}`,
  });
  return JSON.parse(text) as Memory;
}

async function filesOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
