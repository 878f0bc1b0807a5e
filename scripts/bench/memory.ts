// What standalone costs in memory, against a bare process that has only loaded the same libraries.
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@thikaa/embedded";
import { waitFor } from "@thikaa/testkit";
import { plainEnvironment } from "../services/config.ts";
import { median } from "./report.ts";

const root = join(import.meta.dirname, "../..");
const execArgv = ["--disable-warning=ExperimentalWarning", "--conditions=source"];
/** Long enough for what was needed only to start to be let go. */
const settleMs = 5_000;

export interface Memory {
  /** Proportional set sizes, in megabytes. */
  readonly standalone: number;
  readonly bare: number;
}

/**
 * Measures both by turns, idle, and tells the middle of each: how much a young process has not collected yet is chance.
 * PostgreSQL and NATS are other processes and not counted.
 */
export async function measureMemory(rounds: number): Promise<Memory> {
  const [bare, standalone]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await measureBare());
    standalone.push(await measureStandalone());
  }
  return { bare: median(bare), standalone: median(standalone) };
}

async function measureBare(): Promise<number> {
  const port = await freePort();
  const child = fork(join(import.meta.dirname, "bare.ts"), [String(port)], { execArgv });
  return measure(child, `http://127.0.0.1:${port}/`);
}

async function measureStandalone(): Promise<number> {
  const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), "thikaa-memory-"))];
  const child = spawn(process.execPath, [...execArgv, "apps/standalone/src/main.ts"], {
    cwd: root,
    env: { ...plainEnvironment(), PORT: String(port), THIKAA_DATA_DIR: folder, LOG_LEVEL: "error" },
    stdio: "ignore",
  });
  try {
    return await measure(child, `http://127.0.0.1:${port}/readyz`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(child: ChildProcess, url: string): Promise<number> {
  try {
    await waitFor(async () => (await fetch(url)).ok, { what: url, deadlineMs: 60_000 });
    await pause(settleMs);
    const rollup = await readFile(`/proc/${child.pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1_024;
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}
