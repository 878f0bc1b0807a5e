// Nothing lost: the house under load, struck in every way; judged by the provider's stand-in and the webhook sink.
import { afterAll, describe } from "vitest";
import { Ground, stageFor } from "./ground.ts";
import { crashPointScenes } from "./scenes/crash-points.ts";
import { hangingWebhooksScene, throttledAndDeadScene } from "./scenes/isolation.ts";
import { killScenes } from "./scenes/kills.ts";
import { outageScenes } from "./scenes/outages.ts";
import { ownershipScenes } from "./scenes/ownership.ts";
import { holdScene, providerScenes } from "./scenes/provider.ts";
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
  outageScenes(stage);
  ownershipScenes(stage);
  providerScenes(stage);
  holdScene(stage);
  killScenes(stage);
  crashPointScenes(stage);
  webhookDoorScene(stage);
});

describe("standalone", () => {
  const stage = stageFor(ground, () => openStandaloneHouse({ bots: 4, peoplePerBot }));
  standaloneScenes(stage);
  if (ground.settings.full) providerScenes(stage, "standalone-provider");
});

const single = { gateways: 1, channels: 1, inboxes: 1, webhooks: 1 };

describe.runIf(ground.settings.full)("a thousand connections", () => {
  const options = { counts: single, bots: 1_000, peoplePerBot: 1, wired: false };
  throttledAndDeadScene(stageFor(ground, () => openServicesHouse(options)));
});

describe.runIf(ground.settings.full)("hanging webhooks", () => {
  const options = { counts: single, bots: 10, peoplePerBot: 4, wired: false };
  hangingWebhooksScene(stageFor(ground, () => openServicesHouse(options)));
});

afterAll(() => void process.stdout.write(ground.report()));
