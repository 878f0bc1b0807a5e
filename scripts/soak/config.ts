// Settings of the soak: how long, and the seed of its chance.
import { randomInt } from "node:crypto";

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
