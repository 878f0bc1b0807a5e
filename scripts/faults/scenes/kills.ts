// Kills at random moments: every app and both servers, again and again, with messages on their way to every recipient.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { Keeper } from "@thikaa/embedded";
import type { Role } from "../../services/start.ts";
import type { Driver } from "../driver.ts";
import type { Stage } from "../ground.ts";
import { pick } from "../random.ts";
import { strike, untilEven } from "../scenes.ts";
import type { ServicesHouse } from "../services-house.ts";

const apps: readonly Role[] = ["gateway", "channel", "inbox", "webhooks", "console"];
const restMs = 100;
/** Longer than a lane rests: so each recipient has a message on its way at any moment. */
const providerTakesMs = 300;

export function killScenes(stage: Stage<ServicesHouse>): void {
  const { settings, random } = stage.ground;

  test(
    "kill -9 of every app, of PostgreSQL and of nats-server at random moments: nothing lost, nothing doubled in silence, books and order right",
    async () => {
      const { services, standIn, lanes } = stage.house;
      const { postgres, nats } = services.servers;
      await services.scale("channel", 2);
      await untilEven(stage.house, 2, 40_000);
      standIn.faults.add({
        kind: "delay",
        delayMs: providerTakesMs,
        method: "sendMessage",
        times: "always",
      });
      const targets = Array.from({ length: settings.killsOfEach }, () => [
        ...apps.map((role) => () => pick(random, services.of(role))),
        () => postgres,
        () => nats,
      ]).flatMap((round) => shuffled(round, random));
      const { lost } = await stage.play({
        name: "killed",
        restMs,
        restWithinMs: settings.full ? 600_000 : 90_000,
        notes: () => ({ kills: targets.length, recipients: lanes.length }),
        strike: async ({ driver }) => {
          for (const target of targets) {
            await untilAtWork(driver, lanes.length / 2);
            await pause(random() * 900);
            await strike(target(), "SIGKILL");
          }
          await pause(1_500);
        },
      });
      expect(lost).toEqual([]);
    },
    settings.sceneMs,
  );
}

/** A house that is still down from the last kill has nothing to lose by the next one: so many further sends come first. */
async function untilAtWork({ intents }: Driver, further: number): Promise<void> {
  const accepted = () => intents.filter((intent) => intent.accepted !== null).length;
  const before = accepted();
  await waitFor(() => accepted() >= before + further, {
    what: "sends to be accepted again after a kill",
    deadlineMs: 120_000,
  });
}

function shuffled(
  values: readonly (() => Keeper | null)[],
  random: () => number,
): (() => Keeper | null)[] {
  return values
    .map((value) => ({ value, rank: random() }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ value }) => value);
}
