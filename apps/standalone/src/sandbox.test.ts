// The sandbox's connections: there from the first start on, the shop's phone linked by itself, and mended at the next one.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AdminClient } from "@thikaa/sdk";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";

let folder: string;
let house: Child;
beforeAll(async () => void (folder = await makeFolder()));
afterAll(async () => {
  await house?.stop();
  await removeFolder(folder);
});

async function connections(): Promise<readonly { channel: string; state: string }[]> {
  const admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  const answer = await admin.request("GET", "/stores/demo/connections");
  return (answer as { connections: { channel: string; state: string }[] }).connections;
}

const connected = () =>
  waitFor(
    async () => {
      const now = await connections();
      return now.length === 2 && now.every(({ state }) => state === "connected") && now;
    },
    { what: "a bot and a phone that are connected", deadlineMs: 20_000 },
  );

test("the bot and the shop's phone are connected by themselves; at the next start again, also when the link was lost", async () => {
  house = await startChild({ folder });
  const first = await connected();
  expect(first.map(({ channel }) => channel).toSorted()).toEqual(["tg", "wd"]);
  await house.stop();
  await rm(join(house.dataDir, "sandbox/whatsapp.json"));
  house = await startChild({ folder });
  await connected();
}, 60_000);
