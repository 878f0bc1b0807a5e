// Processor time by part of the house: unlike rates, it says what a message costs when the machine is shared.
import { readdir, readFile } from "node:fs/promises";
import type { Services } from "../services/start.ts";

/** Processor time in microseconds, by part. */
export type CpuTimes = ReadonlyMap<string, number>;

/** Linux counts in ticks of a hundredth of a second. */
const tickMicroseconds = 10_000;

export async function readCpu(services: Services): Promise<CpuTimes> {
  const pids = (role: Parameters<Services["of"]>[0]) =>
    services.of(role).flatMap(({ pid }) => pid ?? []);
  const { postgres, nats } = services.servers;
  const parts: [string, number[]][] = [
    ["gateway", pids("gateway")],
    ["channel app", pids("channel")],
    ["inbox", pids("inbox")],
    ["webhooks", pids("webhooks")],
    ["PostgreSQL", await withChildren(postgres?.pid ?? 0)],
    ["NATS", [nats?.pid ?? 0]],
  ];
  return new Map(
    await Promise.all(
      parts.map(async ([part, own]) => {
        const times = await Promise.all(own.map(timeOf));
        return [part, times.reduce((sum, time) => sum + time, 0)] as const;
      }),
    ),
  );
}

/** What was spent between two readings. */
export function spent(before: CpuTimes, after: CpuTimes): CpuTimes {
  return new Map([...after].map(([part, time]) => [part, time - (before.get(part) ?? 0)]));
}

async function withChildren(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const children = await Promise.all(
    pids.map(async (pid) => (Number((await stat(pid))[1]) === parent ? [pid] : [])),
  );
  return [parent, ...children.flat()];
}

/** What a process has spent so far, in microseconds. */
export async function timeOf(pid: number): Promise<number> {
  const fields = await stat(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tickMicroseconds;
}

/** The fields after the command's name: state, parent, … user and system time. Empty when the process is gone. */
async function stat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
