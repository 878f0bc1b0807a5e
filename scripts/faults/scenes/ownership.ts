// Ownership: channel processes come, go, sleep and die under load; each connection has one owner, and what is known late still counts.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import { pick } from "../random.ts";
import { holdings, longestUnpolled, strike, untilEven, untilTakenOver } from "../scenes.ts";
import type { ServicesHouse } from "../services-house.ts";

const takeOverMs = 20_000;

export function ownershipScenes(stage: Stage<ServicesHouse>): void {
  scaling(stage);
  asleep(stage);
  killed(stage);
}

function scaling(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  test(
    "channel processes 1 → 3 → 1 under load: connections even, a quick hand-over, nothing lost and nothing doubled",
    async () => {
      const { house } = stage;
      await house.services.scale("channel", 1);
      await untilEven(house, 1, takeOverMs);
      let evenMs = 0;
      let handOverMs = 0;
      let unpolledMs = 0;
      const { duplicates, flagged } = await stage.play({
        name: "scaling",
        restWithinMs: 20_000,
        notes: () => ({
          "even after ms": evenMs,
          "hand-over ms": handOverMs,
          "unpolled ms": unpolledMs,
        }),
        strike: async () => {
          const begun = performance.now();
          await house.services.scale("channel", 3);
          await untilEven(house, 3, takeOverMs);
          evenMs = performance.now() - begun;
          await pause(1_000);
          const endingAt = Date.now();
          const ending = house.services.scale("channel", 1);
          handOverMs = await untilEven(house, 1, takeOverMs);
          await ending;
          await pause(1_000);
          unpolledMs = longestUnpolled(house, endingAt);
        },
      });
      expect([duplicates, flagged]).toEqual([0, 0]);
      expect(evenMs).toBeLessThan(takeOverMs);
      expect(handOverMs).toBeLessThan(settings.handOverWithinMs);
    },
    settings.sceneMs,
  );
}

function asleep(stage: Stage<ServicesHouse>): void {
  const { settings, random } = stage.ground;

  test(
    "a channel process stopped for longer than its lease, then continued, claims nothing of what it owned, and its late outcome is kept",
    async () => {
      const { house } = stage;
      await house.services.scale("channel", 2);
      await untilEven(house, 2, takeOverMs);
      house.standIn.faults.add({
        kind: "delay",
        delayMs: 300,
        method: "sendMessage",
        times: "always",
      });
      const before = new Set((await holdings(house)).keys());
      const owners = await ownersOf(house);
      let continuedAt = new Date(0);
      let taken = new Map<string, number>();
      let takenAfterMs = 0;
      let sleeper = "";
      const { duplicates } = await stage.play({
        name: "asleep",
        restWithinMs: 40_000,
        restMs: 1_000,
        notes: () => ({ "take-over ms": takenAfterMs }),
        strike: async () => {
          const process = pick(random, house.services.of("channel"));
          await strike(process, "SIGSTOP");
          ({ gone: sleeper, tookMs: takenAfterMs } = await untilTakenOver(house, before));
          // Longer than the first backoff: the new owner has tried again what it could not know.
          await pause(4_000);
          taken = await epochsOf(house);
          continuedAt = await databaseNow(house);
          await strike(process, "SIGCONT");
          await pause(3_000);
        },
      });
      expect(duplicates).toBeGreaterThan(0);
      expect(takenAfterMs).toBeLessThan(takeOverMs);
      const asleep = [...owners].filter(([, worker]) => worker === sleeper).map(([key]) => key);
      expect(asleep.length).toBeGreaterThan(0);
      for (const key of asleep)
        expect(
          await claimsBelow(house, { key, epoch: taken.get(key) ?? 0, after: continuedAt }),
        ).toBe(0);
      const untold = "outcome IS NULL OR outcome = 'uncertain'";
      expect(await attemptsOf(house, { worker: sleeper, that: untold })).toBe(0);
      const toldLate = "outcome = 'sent' AND finished_at > $2";
      expect(
        await attemptsOf(house, { worker: sleeper, that: toldLate, values: [continuedAt] }),
      ).toBeGreaterThan(0);
    },
    settings.sceneMs,
  );
}

function killed(stage: Stage<ServicesHouse>): void {
  const { settings, random } = stage.ground;

  test(
    "kill -9 of a channel process: another has its connections within 20 s, and what may be doubled says so",
    async () => {
      const { house } = stage;
      await house.services.scale("channel", 2);
      await untilEven(house, 2, takeOverMs);
      let takenAfterMs = 0;
      const { deliveryMs } = await stage.play({
        name: "channel-killed",
        restWithinMs: 60_000,
        notes: () => ({ "take-over ms": takenAfterMs }),
        strike: async () => {
          const before = new Set((await holdings(house)).keys());
          await strike(pick(random, house.services.of("channel")), "SIGKILL");
          ({ tookMs: takenAfterMs } = await untilTakenOver(house, before));
        },
      });
      expect(takenAfterMs).toBeLessThan(takeOverMs);
      expect(deliveryMs.max).toBeLessThan(takeOverMs);
    },
    settings.sceneMs,
  );
}

async function ownersOf({ database }: ServicesHouse): Promise<Map<string, string>> {
  const { rows } = await database.query<{ key: string; worker: string }>({
    text: "SELECT key, worker::text AS worker FROM assignments WHERE kind = 'connection'",
  });
  return new Map(rows.map(({ key, worker }) => [key, worker]));
}

async function epochsOf({ database }: ServicesHouse): Promise<Map<string, number>> {
  const { rows } = await database.query<{ key: string; epoch: number }>({
    text: "SELECT key, epoch FROM assignments WHERE kind = 'connection'",
  });
  return new Map(rows.map(({ key, epoch }) => [key, epoch]));
}

async function databaseNow({ database }: ServicesHouse): Promise<Date> {
  const { rows } = await database.query<{ now: Date }>({ text: "SELECT now() AS now" });
  return rows[0]?.now ?? new Date(0);
}

/** Attempts of a connection that began after a moment under an epoch that was over by then. */
async function claimsBelow(
  { database }: ServicesHouse,
  given: { key: string; epoch: number; after: Date },
): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM attempts a JOIN messages m ON m.store_id = a.store_id AND m.id = a.subject_id
           WHERE m.connection_id = $1 AND a.epoch < $2 AND a.started_at > $3`,
    values: [given.key, given.epoch, given.after],
  });
  return rows[0]?.count ?? -1;
}

/** How many attempts of a worker there are of which the condition holds. */
async function attemptsOf(
  { database }: ServicesHouse,
  wanted: { worker: string; that: string; values?: unknown[] },
): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM attempts WHERE worker = $1 AND (${wanted.that})`,
    values: [wanted.worker, ...(wanted.values ?? [])],
  });
  return rows[0]?.count ?? -1;
}
