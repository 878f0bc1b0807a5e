// Debian's Chromium for tests of pages, started the same way whatever the machine's own settings are.
import type { Browser } from "playwright-core";
import { plainEnvironment } from "./config.ts";

const executablePath = "/usr/bin/chromium";
/** Without the network's own services: each start would look for hosts that a test has no business with. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser; whoever opens it closes it. Rejects when Chromium is not installed. */
export async function openBrowser(): Promise<Browser> {
  // Loaded here alone: most tests open no page.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath,
    args: flags,
    // With the C locale Chromium saves a file with an Arabic name as "download".
    env: { ...plainEnvironment(), LC_ALL: "C.UTF-8" },
  });
}
