// The sandbox's connections: there from the first start on, the shop's phone linked by itself, by hand, and mended at the next start.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AdminClient } from "@thikaa/sdk";
import { openBrowser, waitFor } from "@thikaa/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { openPhone } from "./fixtures/phone.ts";

const pictures = join(import.meta.dirname, "../../../test-results/sandbox");
const inTime = { timeout: 20_000 };

let folder: string;
let house: Child;
beforeAll(async () => {
  folder = await makeFolder();
  house = await startChild({ folder });
}, 60_000);
afterAll(async () => {
  await house?.stop();
  await removeFolder(folder);
});

interface Connection {
  readonly id: string;
  readonly channel: string;
  readonly state: string;
}

const adminClient = async () =>
  new AdminClient({ baseUrl: house.url, token: await house.adminToken() });

async function connections(): Promise<readonly Connection[]> {
  const answer = await (await adminClient()).request("GET", "/stores/demo/connections");
  return (answer as { connections: readonly Connection[] }).connections;
}

const connected = () =>
  waitFor(
    async () => {
      const now = await connections();
      return now.length === 2 && now.every(({ state }) => state === "connected") && now;
    },
    { what: "a bot and a phone that are connected", deadlineMs: 20_000 },
  );

/** On the shop's phone; resolves to the connection that then waits to be linked. */
async function unlink(phone: Page): Promise<string> {
  await phone.getByRole("button", { name: "Unlink" }).click(inTime);
  await phone.getByText("No linked devices").waitFor(inTime);
  const waiting = await waitFor(
    async () => (await connections()).find(({ state }) => state === "attention"),
    { what: "a connection without its phone", deadlineMs: 20_000 },
  );
  return waiting.id;
}

test("the bot and the shop's phone are connected by themselves", async () => {
  const first = await connected();
  expect(first.map(({ channel }) => channel).toSorted()).toEqual(["tg", "wd"]);
});

test("the shop's phone is unlinked and linked by hand: by a picture of the page that shows the code, and by the characters", async () => {
  const [admin, browser] = await Promise.all([adminClient(), openBrowser()]);
  try {
    const phone = await openPhone(browser, { url: house.url, locale: "en" });
    await phone.getByRole("button", { name: "Shop", exact: true }).click();
    const id = await unlink(phone);
    const screen = await browser.newPage();
    await screen.goto((await admin.createPairingLink(id)).url);
    await screen.getByText("Tap Link a device and scan this code.").waitFor(inTime);
    const buffer = await screen.screenshot({ fullPage: true });
    await phone
      .locator(".drop input")
      .setInputFiles({ name: "code.png", mimeType: "image/png", buffer });
    await phone.getByText("Connected", { exact: true }).waitFor(inTime);
    await connected();

    await unlink(phone);
    await admin.pair(id, { phone: "9647800000001" });
    for await (const { code } of admin.watchPairing(id, { signal: AbortSignal.timeout(20_000) })) {
      if (code === undefined) continue;
      await phone.getByLabel("Or the 8-character code").fill(code);
      await phone.keyboard.press("Enter");
      break;
    }
    await phone.getByText("Connected", { exact: true }).waitFor(inTime);
    expect(await connected()).toHaveLength(2);
    await mkdir(pictures, { recursive: true });
    await phone.screenshot({ path: join(pictures, "linked.png") });
  } finally {
    await browser.close();
  }
}, 60_000);

test("a phone whose link was lost is linked anew by the next start", async () => {
  await house.stop();
  await rm(join(house.dataDir, "sandbox/whatsapp.json"));
  house = await startChild({ folder });
  expect(await connected()).toHaveLength(2);
}, 60_000);
