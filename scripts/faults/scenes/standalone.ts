// Standalone struck: its process, its PostgreSQL and its nats-server are killed, and all three come back by themselves.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import { strike } from "../scenes.ts";
import type { StandaloneHouse } from "../standalone-house.ts";

const restMs = 150;
const providerTakesMs = 200;

export function standaloneScenes(stage: Stage<StandaloneHouse>): void {
  const { settings, random } = stage.ground;

  test(
    "kill -9 of standalone, of its PostgreSQL and of its nats-server: nothing lost, nothing doubled in silence, books and order right",
    async () => {
      const { house } = stage;
      const strikes = [
        () => house.killServer("nats-server"),
        () => house.killServer("postgres"),
        () => strike(house.keeper, "SIGKILL"),
      ];
      const targets = Array.from({ length: settings.killsOfEach }, () => strikes).flat();
      house.standIn.faults.add({
        kind: "delay",
        delayMs: providerTakesMs,
        method: "sendMessage",
        times: "always",
      });
      const { lost } = await stage.play({
        name: "standalone",
        restMs,
        restWithinMs: settings.full ? 600_000 : 60_000,
        notes: () => ({ kills: targets.length, recipients: house.lanes.length }),
        strike: async () => {
          for (const kill of targets) {
            await pause(500 + random() * 2_500);
            await kill();
          }
          await pause(1_500);
        },
      });
      expect(lost).toEqual([]);
    },
    settings.sceneMs,
  );
}
