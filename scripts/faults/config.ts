// How hard the fault tests strike: a little in every run, a lot in `npm run test:faults`; and the seed of their chance.
import { randomInt } from "node:crypto";

export interface FaultSettings {
  readonly full: boolean;
  /** Printed by every run; give it again in THIKAA_FAULTS_SEED to repeat the same choices. */
  readonly seed: number;
  /** Kills of each app and each server. */
  readonly killsOfEach: number;
  /** Crashes at each named point. */
  readonly crashesOfEach: number;
  /** Recipients on each of the four bots: so many messages are on their way at once, times four. */
  readonly peoplePerBot: number;
  /** Seconds that NATS and PostgreSQL are away. */
  readonly natsAwaySeconds: number;
  readonly postgresAwaySeconds: number;
  /** Two seconds is the promise; in a run of the whole suite the two cores are shared with other tests. */
  readonly handOverWithinMs: number;
  /** Phones that are linked, shared by three processes, and people who talk with each. */
  readonly phones: number;
  readonly peoplePerPhone: number;
  /** Kills of a process that hosts phones, of each kind. */
  readonly hostKills: number;
  /** Five seconds is the promise; see `handOverWithinMs`. */
  readonly phonesWithinMs: number;
  readonly sceneMs: number;
}

const fast = {
  killsOfEach: 1,
  crashesOfEach: 1,
  peoplePerBot: 8,
  natsAwaySeconds: 6,
  postgresAwaySeconds: 4,
  handOverWithinMs: 4_000,
  phones: 9,
  peoplePerPhone: 2,
  hostKills: 1,
  phonesWithinMs: 10_000,
  sceneMs: 120_000,
};

const full = {
  killsOfEach: 20,
  crashesOfEach: 20,
  peoplePerBot: 16,
  natsAwaySeconds: 60,
  postgresAwaySeconds: 30,
  handOverWithinMs: 2_000,
  phones: 60,
  peoplePerPhone: 2,
  hostKills: 3,
  phonesWithinMs: 5_000,
  sceneMs: 1_800_000,
};

/** Reads the settings of this run. */
export function readFaultSettings(environment: NodeJS.ProcessEnv = process.env): FaultSettings {
  const isFull = environment["THIKAA_FAULTS"] === "full";
  return {
    full: isFull,
    seed: Number(environment["THIKAA_FAULTS_SEED"] ?? randomInt(1, 1_000_000_000)),
    ...(isFull ? full : fast),
  };
}
