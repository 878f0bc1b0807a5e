// Nothing lost: servers away, processes that come and go, a provider that fails; judged by the provider's stand-in and the webhook sink.
import { afterAll, describe } from "vitest";
import { Ground, stageFor } from "./ground.ts";
import { outageScenes } from "./scenes/outages.ts";
import { ownershipScenes } from "./scenes/ownership.ts";
import { holdScene, providerScenes } from "./scenes/provider.ts";
import { openServicesHouse } from "./services-house.ts";

const ground = new Ground();

describe("many processes", () => {
  const stage = stageFor(ground, () =>
    openServicesHouse({
      counts: { gateways: 2, channels: 2, inboxes: 2, webhooks: 2 },
      bots: 4,
      peoplePerBot: ground.settings.peoplePerBot,
      wired: true,
    }),
  );
  outageScenes(stage);
  ownershipScenes(stage);
  providerScenes(stage);
  holdScene(stage);
});

afterAll(() => void process.stdout.write(ground.report()));
