// What the processes of a house hold: memory and open files by role, connections to PostgreSQL by application.
import { readdir, readFile } from "node:fs/promises";
import type { ServicesHouse } from "../faults/services-house.ts";

/** Numbers by what they count, like `gateway: memory MiB`. */
export type Resources = ReadonlyMap<string, number>;

const roles = ["gateway", "channel", "inbox", "webhooks", "console"] as const;
const mebibyte = 1_048_576;

export async function measure(house: ServicesHouse): Promise<Resources> {
  const found = new Map<string, number>();
  for (const role of roles) {
    const pids = house.services.of(role).flatMap(({ pid }) => pid ?? []);
    found.set(`${role}: memory MiB`, (await sum(pids, memoryOf)) / mebibyte);
    found.set(`${role}: open files`, await sum(pids, filesOf));
  }
  const { rows } = await house.database.query<{ name: string; count: number }>({
    text: `SELECT application_name AS name, count(*)::int AS count FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND application_name <> 'fault-checker' GROUP BY 1 ORDER BY 1`,
  });
  for (const { name, count } of rows) found.set(`${name}: connections to PostgreSQL`, count);
  return found;
}

async function sum(pids: readonly number[], of: (pid: number) => Promise<number>): Promise<number> {
  const all = await Promise.all(pids.map(of));
  return all.reduce((total, each) => total + each, 0);
}

async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1_024;
}

async function filesOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
