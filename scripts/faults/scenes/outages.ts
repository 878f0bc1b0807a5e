// Outages: NATS, PostgreSQL or every channel process is away, and comes back.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import { strike } from "../scenes.ts";
import type { ServicesHouse } from "../services-house.ts";

/** A lost ring costs a second. The rest is for a machine with all of this on two cores: how fast it is just now, the baseline tells. */
const ringlessMs = 1_000;
const leastSlackMs = 500;
/** The inbox's, the sequencer's and the webhooks': each of them is rung by the one before. */
const pollsOnTheWayIn = 3;

export function outageScenes(stage: Stage<ServicesHouse>): void {
  natsAway(stage);
  postgresAway(stage);
  noChannel(stage);
}

function natsAway(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  test(
    "with NATS stopped sends are accepted and delivered, each at most a second later",
    async () => {
      const { nats } = stage.house.services.servers;
      const baseline = await stage.play({
        name: "baseline",
        restWithinMs: 20_000,
        strike: () => pause(settings.natsAwaySeconds * 300),
      });
      const { driver, deliveryMs, toldMs, duplicates, flagged } = await stage.play({
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
      const slackMs = Math.max(leastSlackMs, baseline.deliveryMs.p50);
      expect(deliveryMs.p99 - baseline.deliveryMs.p99).toBeLessThan(ringlessMs + slackMs);
      expect(toldMs.p99 - baseline.toldMs.p99).toBeLessThan(pollsOnTheWayIn * ringlessMs + slackMs);
    },
    settings.sceneMs,
  );
}

function postgresAway(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  test(
    "with PostgreSQL stopped the answer is 503 with Retry-After and never 200; afterwards every unknown send resolves by its key",
    async () => {
      const { postgres } = stage.house.services.servers;
      let away = { from: 0, until: 0 };
      const { driver } = await stage.play({
        name: "postgres-away",
        // A statement whose answer never comes is given up after 35 s, and what waited for it goes on.
        restWithinMs: 40_000,
        notes: () => ({ "ms away": away.until - away.from }),
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
    settings.sceneMs,
  );
}

function noChannel(stage: Stage<ServicesHouse>): void {
  const { settings } = stage.ground;

  test(
    "with every channel process dead a send is still answered 200, and delivered once one is back",
    async () => {
      const { services } = stage.house;
      let dead = { from: 0, until: 0 };
      const { driver } = await stage.play({
        name: "no-channel",
        restWithinMs: 60_000,
        strike: async () => {
          const all = services.of("channel");
          await Promise.all(all.map((process) => strike(process, "SIGKILL")));
          await services.scale("channel", 0);
          const from = Date.now();
          await pause(3_000);
          dead = { from, until: Date.now() };
          await services.scale("channel", 2);
        },
      });
      const meanwhile = driver.answers.filter(({ at }) => at > dead.from && at < dead.until);
      expect(meanwhile.length).toBeGreaterThan(0);
      expect(meanwhile.filter(({ status }) => status !== 200)).toEqual([]);
    },
    settings.sceneMs,
  );
}
