// The start page in a real browser: it fits, breaks no rule of its own policy, stays fresh, and its commands can be copied.
import type { Browser } from "playwright-core";
import { openBrowser } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, overflowOf } from "../fixtures/browser.ts";
import type { Look } from "../fixtures/browser.ts";
import { describeChannel, ownNextConnection, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

let running: RunningConsole;
let browser: Browser;
beforeAll(async () => {
  running = await startConsole();
  await describeChannel(running.database);
  await running.admin("POST", "/stores", {
    slug: "demo",
    name: "متجر الورد",
    environment: "sandbox",
  });
  await Promise.all([
    running.admin("POST", "/stores/demo/connections", {
      channel: "tg",
      name: "sandbox",
      credentials: { token: "x" },
      sandbox: true,
    }),
    ownNextConnection(running, { state: "connected", address: "7100200300" }),
  ]);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await running.stop();
});

const open = (look: Look) => openPage(browser, `${running.url}/?lang=${look.language}`, look);

test.each<Look>([
  { width: 390, colorScheme: "light", language: "en" },
  { width: 390, colorScheme: "dark", language: "ar" },
  { width: 1280, colorScheme: "light", language: "ar" },
  { width: 1280, colorScheme: "dark", language: "en" },
])("it fits at $width px, $colorScheme, $language, without a complaint", async (look) => {
  const { page, complaints } = await open(look);
  await page.getByText("7100200300").waitFor();
  expect(await overflowOf(page)).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a change of a connection shows by itself, and a command is copied whole", async () => {
  const { page } = await open({ width: 1280, colorScheme: "light", language: "en" });
  await page.getByText("connected", { exact: true }).waitFor();
  await running.database.query({
    text: `UPDATE connections SET state = 'attention', reason = '{"code":"unauthorized","message":"The token is dead."}'`,
  });
  await page.getByText("needs you").waitFor({ timeout: 10_000 });
  await page.getByText("The token is dead.").waitFor();
  await page.getByRole("button", { name: "Copy" }).first().click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = String(await page.evaluate("navigator.clipboard.readText()"));
  expect(copied).toContain(`${running.url}/demo/api/messaging/?action=send`);
  expect(copied).toContain("مرحبا زينب 👋");
  await page.context().close();
});
