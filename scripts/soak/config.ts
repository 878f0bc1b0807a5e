// Settings of the soak: how long, the seed of its chance, and where its processes write down what they hold.
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface SoakSettings {
  readonly minutes: number;
  /** Printed by every run; give it again in THIKAA_FAULTS_SEED to repeat the same choices. */
  readonly seed: number;
}

/** Reads THIKAA_SOAK_MINUTES (30) and THIKAA_FAULTS_SEED. */
export function readSoakSettings(environment: NodeJS.ProcessEnv = process.env): SoakSettings {
  const minutes = Number(environment["THIKAA_SOAK_MINUTES"] ?? 30);
  if (!Number.isInteger(minutes) || minutes < 1)
    throw new Error("THIKAA_SOAK_MINUTES must be a whole number of minutes.");
  const seed = Number(environment["THIKAA_FAULTS_SEED"] ?? randomInt(1, 1_000_000_000));
  return { minutes, seed };
}

const folderSetting = "THIKAA_SOAK_FOLDER";

/** What makes a process write its memory into a file of this folder when it gets SIGUSR2. */
export function collectorEnvironment(folder: string): Record<string, string> {
  const collector = pathToFileURL(join(import.meta.dirname, "collector.ts"));
  return { NODE_OPTIONS: `--import ${collector.href}`, [folderSetting]: folder };
}

/** The file of one process; the folder is the setting's when none is given. */
export function memoryFile(pid: number, folder = process.env[folderSetting] ?? "."): string {
  return join(folder, `memory-${pid}.json`);
}
