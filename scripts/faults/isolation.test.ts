// Nobody waits for another's trouble, at full size: a thousand connections, and stores whose webhooks hang. In the full tier alone.
import { afterAll, describe } from "vitest";
import { Ground, stageFor } from "./ground.ts";
import { hangingWebhooksScene, throttledAndDeadScene } from "./scenes/isolation.ts";
import { openServicesHouse } from "./services-house.ts";

const ground = new Ground();
const single = { gateways: 1, channels: 1, inboxes: 1, webhooks: 1 };

describe.runIf(ground.settings.full)("a thousand connections", () => {
  const options = { counts: single, bots: 1_000, peoplePerBot: 1, wired: false };
  throttledAndDeadScene(stageFor(ground, () => openServicesHouse(options)));
});

describe.runIf(ground.settings.full)("hanging webhooks", () => {
  const options = { counts: single, bots: 10, peoplePerBot: 4, wired: false };
  hangingWebhooksScene(stageFor(ground, () => openServicesHouse(options)));
});

if (ground.settings.full) afterAll(() => void process.stdout.write(ground.report()));
