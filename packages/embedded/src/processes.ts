// Looking at other processes of this machine, to recognise and stop what an earlier start left behind.
import { readFile, readdir, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { poll } from "./poll.ts";

/** A living process as /proc tells it. */
export interface RunningProcess {
  pid: number;
  /** The program's file name, without its folder. */
  program: string;
  args: string[];
  workingFolder: string;
}

/** A signal and how long its effect may take before the next one is tried. */
export interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/** All processes that `matches`; those we may not look at (another person's) and zombies are never among them. */
export async function findProcesses(
  matches: (candidate: RunningProcess) => boolean,
): Promise<RunningProcess[]> {
  const found: RunningProcess[] = [];
  for (const entry of await readdir("/proc")) {
    const candidate = /^\d+$/.test(entry) ? await readProcess(Number(entry)) : undefined;
    if (candidate !== undefined && matches(candidate)) found.push(candidate);
  }
  return found;
}

/**
 * Stops every process that `matches`, one step after the other, and says whether all are gone.
 * Each is recognised again before each signal, so a pid that was given to a stranger meanwhile is left alone.
 */
export async function stopMatching(
  matches: (candidate: RunningProcess) => boolean,
  steps: StopStep[],
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    const survivors = await findProcesses(matches);
    if (survivors.length === 0) return true;
    for (const survivor of survivors) sendSignal(survivor.pid, signal);
    if (await poll(waitMs, () => whenGone(survivors))) break;
  }
  return (await findProcesses(matches)).length === 0;
}

async function whenGone(processes: RunningProcess[]): Promise<true | undefined> {
  for (const { pid, program } of processes) {
    if ((await readProcess(pid))?.program === program) return undefined;
  }
  return true;
}

async function readProcess(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [program, commandLine, workingFolder] = await Promise.all([
      readlink(`/proc/${pid}/exe`),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readlink(`/proc/${pid}/cwd`),
    ]);
    // The kernel marks a program whose file was replaced while it runs (an upgrade, for example).
    return {
      pid,
      program: basename(program.replace(/ \(deleted\)$/, "")),
      args: commandLine.split("\0"),
      workingFolder,
    };
  } catch {
    return undefined;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
