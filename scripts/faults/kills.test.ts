// Nothing lost: every app and server killed, at random moments and at named points; judged by the provider's stand-in and the webhook sink.
import { afterAll, describe } from "vitest";
import { Ground, stageFor } from "./ground.ts";
import { crashPointScenes } from "./scenes/crash-points.ts";
import { killScenes } from "./scenes/kills.ts";
import { providerScenes } from "./scenes/provider.ts";
import { standaloneScenes } from "./scenes/standalone.ts";
import { webhookDoorScene } from "./scenes/webhook-door.ts";
import { openServicesHouse } from "./services-house.ts";
import { openStandaloneHouse } from "./standalone-house.ts";

const ground = new Ground();
const { peoplePerBot } = ground.settings;

describe("many processes", () => {
  const stage = stageFor(ground, () =>
    openServicesHouse({
      counts: { gateways: 2, channels: 2, inboxes: 2, webhooks: 2 },
      bots: 4,
      peoplePerBot,
      wired: true,
    }),
  );
  killScenes(stage);
  crashPointScenes(stage);
  webhookDoorScene(stage);
});

describe("standalone", () => {
  const stage = stageFor(ground, () => openStandaloneHouse({ bots: 4, peoplePerBot }));
  standaloneScenes(stage);
  if (ground.settings.full) providerScenes(stage, "standalone-provider");
});

afterAll(() => void process.stdout.write(ground.report()));
