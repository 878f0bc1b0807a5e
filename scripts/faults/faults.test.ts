// Nothing lost: many processes under load, struck in every way; judged by the provider's stand-in and the webhook sink.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Keeper } from "../services/keeper.ts";
import type { Role } from "../services/start.ts";
import { readFaultSettings } from "./config.ts";
import { openFaultHouse } from "./house.ts";
import type { FaultHouse } from "./house.ts";
import { broken } from "./judge.ts";
import { pick, randomFrom } from "./random.ts";
import { epochs, holdings, overlappingPolls, play, strike, untilEven } from "./scenes.ts";
import type { Scene } from "./scenes.ts";

const settings = readFaultSettings();
const random = randomFrom(settings.seed);
const report: Record<string, unknown> = {};

const restMs = 250;
const leaseMs = 15_000;
const takeOverMs = 20_000;
/** Two seconds is the promise; in a run of the whole suite the two cores are shared with other tests. */
const handOverLimitMs = settings.full ? 2_000 : 4_000;
const sceneMs = settings.full ? 900_000 : 90_000;

let house: FaultHouse;

beforeAll(async () => {
  house = await openFaultHouse({
    counts: { gateways: 2, channels: 2, inboxes: 2, webhooks: 2 },
    bots: 4,
    peoplePerBot: 8,
  });
}, 120_000);

afterEach(({ task }) => {
  if (task.result?.state === "fail")
    process.stderr.write(`seed ${settings.seed}\n${house?.lastLines().slice(-6_000)}\n`);
  house?.standIn.faults.clear();
});

afterAll(async () => {
  process.stdout.write(
    `${JSON.stringify({ faults: settings.full ? "full" : "fast", seed: settings.seed, scenes: report })}\n`,
  );
  await house?.close();
}, 30_000);

/** Plays a scene, notes its numbers, and expects every promise to hold. */
async function scene(given: Omit<Scene, "random" | "restMs"> & { readonly restMs?: number }) {
  const { driver, ...verdict } = await play(house, { restMs, random, ...given });
  const { accepted, duplicates, flagged, said, deliveryMs, statuses } = verdict;
  report[given.name] = { accepted, duplicates, flagged, said, deliveryMs, statuses };
  expect(broken(verdict)).toEqual([]);
  expect(overlappingPolls(house)).toBe(0);
  return { driver, ...verdict };
}

test(
  "with NATS stopped sends are accepted and delivered, each at most about a second later",
  async () => {
    const { nats } = house.services.servers;
    const { driver, deliveryMs, duplicates, flagged } = await scene({
      name: "nats-away",
      restWithinMs: 20_000,
      strike: async () => {
        await nats?.stop();
        await pause(settings.natsAwaySeconds * 1_000);
        await nats?.start();
      },
    });
    expect(driver.answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect([duplicates, flagged]).toEqual([0, 0]);
    // A ring that is lost costs a second; the rest is for a machine with all of this on two cores.
    expect(deliveryMs.p99).toBeLessThan(2_500);
  },
  sceneMs,
);

test(
  "with PostgreSQL stopped the answer is 503 with Retry-After and never 200; afterwards every unknown send resolves by its key",
  async () => {
    const { postgres } = house.services.servers;
    let away = { from: 0, until: 0 };
    const { driver } = await scene({
      name: "postgres-away",
      restWithinMs: 40_000,
      strike: async () => {
        await postgres?.stop();
        const from = Date.now();
        await pause(settings.postgresAwaySeconds * 1_000);
        away = { from, until: Date.now() };
        await postgres?.start();
        await pause(1_000);
      },
    });
    const meanwhile = driver.answers.filter(({ at }) => at > away.from + 100 && at < away.until);
    expect(meanwhile.length).toBeGreaterThan(0);
    expect(
      meanwhile.filter(({ status, retryAfter }) => status !== 503 || retryAfter === null),
    ).toEqual([]);
  },
  sceneMs,
);

test(
  "channel processes 1 → 3 → 1 under load: connections even, a quick hand-over, nothing lost and nothing doubled",
  async () => {
    await house.services.scale("channel", 1);
    await untilEven(house, 1, takeOverMs);
    let evenMs = 0;
    let handOverMs = 0;
    const { duplicates, flagged } = await scene({
      name: "scaling",
      restWithinMs: 20_000,
      strike: async () => {
        await house.services.scale("channel", 3);
        evenMs = await untilEven(house, 3, takeOverMs);
        await pause(1_000);
        const ending = house.services.scale("channel", 1);
        handOverMs = await untilEven(house, 1, takeOverMs);
        await ending;
        await pause(1_000);
      },
    });
    report["shares"] = { evenMs: Math.round(evenMs), handOverMs: Math.round(handOverMs) };
    expect(evenMs).toBeLessThan(takeOverMs);
    expect([duplicates, flagged]).toEqual([0, 0]);
    expect(handOverMs).toBeLessThan(handOverLimitMs);
  },
  sceneMs,
);

test(
  "a channel process stopped for longer than its lease, then continued, claims nothing of what it owned, and none of its attempts stays open",
  async () => {
    await house.services.scale("channel", 2);
    await untilEven(house, 2, takeOverMs);
    house.standIn.faults.add({
      kind: "delay",
      delayMs: 300,
      method: "sendMessage",
      times: "always",
    });
    const before = await holdings(house);
    const owners = await ownersOf();
    let continuedAt = new Date(0);
    let taken = new Map<string, number>();
    let sleeper = "";
    const { duplicates, flagged } = await scene({
      name: "asleep",
      restWithinMs: 40_000,
      restMs: 1_000,
      strike: async () => {
        const process = pick(random, house.services.of("channel"));
        await strike(process, "SIGSTOP");
        await waitFor(
          async () => {
            const living = await holdings(house);
            sleeper = [...before.keys()].find((worker) => !living.has(worker)) ?? "";
            return sleeper !== "" && [...living.values()].reduce((sum, n) => sum + n, 0) === 4;
          },
          { what: "the other process to take over", deadlineMs: leaseMs + takeOverMs },
        );
        // Longer than the first backoff: the new owner has tried again what it could not know.
        await pause(4_000);
        taken = await epochs(house);
        continuedAt = await databaseNow();
        await strike(process, "SIGCONT");
        await pause(3_000);
      },
    });
    expect(duplicates).toBeGreaterThan(0);
    expect(flagged).toBeGreaterThanOrEqual(duplicates);
    const asleep = [...owners].filter(([, worker]) => worker === sleeper).map(([key]) => key);
    expect(asleep.length).toBeGreaterThan(0);
    for (const key of asleep)
      expect(await claimsBelow({ key, epoch: taken.get(key) ?? 0, after: continuedAt })).toBe(0);
    expect(await openAttempts(sleeper)).toBe(0);
  },
  sceneMs,
);

test(
  "what a provider does in the dark is told: every second send after a reset, a truncated answer or an error is flagged",
  async () => {
    const faults = ["reset_after_accept", "truncated", "reset_before_accept"] as const;
    const { duplicates } = await scene({
      name: "provider",
      restWithinMs: 60_000,
      restMs: 500,
      strike: async () => {
        for (const kind of faults) {
          house.standIn.faults.add({ kind, method: "sendMessage", times: 3 });
          await pause(300);
        }
        house.standIn.faults.add({ kind: "throttled", retryAfter: 1, method: "sendMessage" });
        for (let call = 0; call < 10; call += 1) {
          house.standIn.faults.add({ kind: "server_error", method: "sendMessage" });
          await pause(200);
        }
        if (settings.full)
          house.standIn.faults.add({ kind: "hang", accepted: true, method: "sendMessage" });
        await pause(1_000);
      },
    });
    expect(duplicates).toBeGreaterThan(0);
  },
  sceneMs,
);

test(
  "kill -9 of a channel process: another has its connections within 20 s, and what may be doubled says so",
  async () => {
    await untilEven(house, 2, takeOverMs);
    const { deliveryMs } = await scene({
      name: "channel-killed",
      restWithinMs: 60_000,
      strike: async () => {
        await strike(pick(random, house.services.of("channel")), "SIGKILL");
        await pause(1_000);
      },
    });
    expect(deliveryMs.max).toBeLessThan(takeOverMs);
  },
  sceneMs,
);

test(
  "kill -9 of every app, of PostgreSQL and of nats-server at random moments: nothing lost, nothing doubled in silence, books and order right",
  async () => {
    const apps: Role[] = settings.full
      ? ["gateway", "inbox", "webhooks", "console", "channel"]
      : ["gateway", "inbox", "webhooks", "console"];
    const { postgres, nats } = house.services.servers;
    const targets = Array.from({ length: settings.killsOfEach }, () => [
      ...apps.map((role) => () => pick(random, house.services.of(role))),
      () => postgres,
      () => nats,
    ]).flatMap((round) => shuffled(round));
    const { lost } = await scene({
      name: "killed",
      restWithinMs: 90_000,
      strike: async () => {
        for (const target of targets) {
          await pause(300 + random() * 900);
          await strike(target(), "SIGKILL");
        }
        await pause(1_500);
      },
    });
    expect(lost).toEqual([]);
  },
  sceneMs,
);

function shuffled(values: readonly (() => Keeper | null)[]): (() => Keeper | null)[] {
  return values
    .map((value) => ({ value, rank: random() }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ value }) => value);
}

async function ownersOf(): Promise<Map<string, string>> {
  const { rows } = await house.database.query<{ key: string; worker: string }>({
    text: "SELECT key, worker::text AS worker FROM assignments WHERE kind = 'connection'",
  });
  return new Map(rows.map(({ key, worker }) => [key, worker]));
}

async function databaseNow(): Promise<Date> {
  const { rows } = await house.database.query<{ now: Date }>({ text: "SELECT now() AS now" });
  return rows[0]?.now ?? new Date(0);
}

/** Attempts of a connection that began after a moment under an epoch that was over by then. */
async function claimsBelow(given: { key: string; epoch: number; after: Date }): Promise<number> {
  const { rows } = await house.database.query<{ count: number }>({
    text: `SELECT count(*)::int AS count FROM attempts a JOIN messages m ON m.store_id = a.store_id AND m.id = a.subject_id
           WHERE m.connection_id = $1 AND a.epoch < $2 AND a.started_at > $3`,
    values: [given.key, given.epoch, given.after],
  });
  return rows[0]?.count ?? -1;
}

/** Attempts of a worker that nobody has told the outcome of. */
async function openAttempts(worker: string): Promise<number> {
  const { rows } = await house.database.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM attempts WHERE worker = $1 AND outcome IS NULL",
    values: [worker],
  });
  return rows[0]?.count ?? -1;
}
