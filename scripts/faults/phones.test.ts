// Nothing lost: processes that host linked phones are killed and replaced; judged by the server's stand-in and the webhook sink.
import { createTestDatabase, natsUrl } from "@thikaa/testkit";
import { afterAll, describe } from "vitest";
import { Ground, stageFor } from "./ground.ts";
import { openPhonesHouse } from "./phones-house.ts";
import type { PhonesHouse } from "./phones-house.ts";
import { phoneScenes } from "./scenes/phones.ts";

const ground = new Ground();
const { full, phones, peoplePerPhone } = ground.settings;
const size = { hosts: 3, phones, peoplePerPhone };

/** The servers are left alone here: in every run the tests' own will do. */
async function openOnTestServers(): Promise<PhonesHouse> {
  const database = await createTestDatabase({ name: "phones" });
  const given = { databaseUrl: database.url, natsUrl: natsUrl() };
  const house = await openPhonesHouse({ ...size, given });
  return {
    ...house,
    async close() {
      await house.close();
      await database.close();
    },
  };
}

describe(`${phones} phones on three processes`, () => {
  const stage = stageFor(ground, () => (full ? openPhonesHouse(size) : openOnTestServers()));
  phoneScenes(stage);
});

afterAll(() => void process.stdout.write(ground.report()));
