// How hard the fault tests strike: a little in every run, a lot in `npm run test:faults`; and the seed of their chance.
import { randomInt } from "node:crypto";

export interface FaultSettings {
  readonly full: boolean;
  /** Printed by every run; give it again in THIKAA_FAULTS_SEED to repeat the same choices. */
  readonly seed: number;
  /** Kills of each app and each server. */
  readonly killsOfEach: number;
  /** Seconds that NATS and PostgreSQL are away. */
  readonly natsAwaySeconds: number;
  readonly postgresAwaySeconds: number;
}

/** Reads the settings of this run. */
export function readFaultSettings(environment: NodeJS.ProcessEnv = process.env): FaultSettings {
  const full = environment["THIKAA_FAULTS"] === "full";
  return {
    full,
    seed: Number(environment["THIKAA_FAULTS_SEED"] ?? randomInt(1, 1_000_000_000)),
    killsOfEach: full ? 20 : 1,
    natsAwaySeconds: full ? 60 : 10,
    postgresAwaySeconds: full ? 30 : 4,
  };
}
