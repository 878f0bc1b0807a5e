// What the fault tests share: the settings and the chance of this run, a house for each group of scenes, and the table of all results.
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { readFaultSettings } from "./config.ts";
import type { FaultSettings } from "./config.ts";
import type { Played } from "./house.ts";
import { broken } from "./judge.ts";
import type { Verdict } from "./judge.ts";
import { randomFrom } from "./random.ts";
import { play } from "./scenes.ts";
import type { Load, Scene } from "./scenes.ts";
import { table } from "./table.ts";

/** Numbers of a scene that the table names beside those of every scene. */
export type Notes = Readonly<Record<string, number>>;

export class Ground {
  readonly settings: FaultSettings = readFaultSettings();
  readonly random = randomFrom(this.settings.seed);
  readonly #rows: Record<string, string>[] = [];

  /** Adds a line to the table. */
  note(name: string, verdict: Verdict | null, notes: Notes): void {
    this.#rows.push({
      scene: name,
      accepted: String(verdict?.accepted ?? ""),
      lost: String(verdict === null ? "" : verdict.lost.length + verdict.inboundLost.length),
      doubled: String(verdict?.duplicates ?? ""),
      flagged: String(verdict?.flagged ?? ""),
      replayed: String(verdict?.replayed ?? ""),
      "p50 ms": String(verdict?.deliveryMs.p50 ?? ""),
      "p99 ms": String(verdict?.deliveryMs.p99 ?? ""),
      "longest ms": String(verdict?.deliveryMs.max ?? ""),
      "told p99 ms": String(verdict?.toldMs.p99 ?? ""),
      "refused ms": String(verdict?.refusedMs ?? ""),
      notes: Object.entries(notes)
        .map(([what, number]) => `${what} ${Math.round(number)}`)
        .join(", "),
    });
  }

  /** The table of what was noted, with the seed. */
  report(): string {
    const { full, seed } = this.settings;
    return `\nFaults, ${full ? "full" : "fast"} tier, THIKAA_FAULTS_SEED=${seed}\n${table(this.#rows)}\n`;
  }
}

export interface Stage<Kind extends Played> {
  readonly ground: Ground;
  /** The open house; asked for in tests only. */
  readonly house: Kind;
  /** Plays a scene, notes its numbers, and expects every promise to hold. */
  play(
    scene: Omit<Scene, "random" | "restMs"> & { restMs?: number; notes?: () => Notes },
  ): Promise<Verdict & Load>;
}

const restMs = 250;

/** Opens a house for the tests of a `describe` block, and closes it after them. */
export function stageFor<Kind extends Played>(
  ground: Ground,
  open: () => Promise<Kind>,
): Stage<Kind> {
  let opened: Kind | null = null;
  const house = (): Kind => {
    if (opened === null) throw new Error("The house is not open.");
    return opened;
  };
  beforeAll(async () => void (opened = await open()), 240_000);
  afterEach(({ task }) => {
    if (task.result?.state === "fail")
      process.stderr.write(
        `seed ${ground.settings.seed}\n${opened?.lastLines().slice(-6_000) ?? ""}\n`,
      );
    opened?.heal();
  });
  afterAll(() => opened?.close(), 60_000);
  return {
    ground,
    get house() {
      return house();
    },
    async play({ notes, ...scene }) {
      const verdict = await play(house(), { restMs, random: ground.random, ...scene });
      ground.note(scene.name, verdict, notes?.() ?? {});
      expect(broken(verdict)).toEqual([]);
      expect(house().neverSeen()).toEqual([]);
      return verdict;
    },
  };
}
