// What `npm start` prints when the house is open: where it is, and the first thing to try.
import { relative } from "node:path";
import { sandboxStore } from "@thikaa/schema";
import { ZAINAB } from "@thikaa/simulator";
import type { StandaloneConfig } from "./config.ts";

/** The text; no secret is in it, only where one lies. */
export function banner(house: { url: string; config: StandaloneConfig; seconds: number }): string {
  const { url, config } = house;
  const lines = [
    `Thikaa Messaging is open at ${url} (${house.seconds.toFixed(1)} s)`,
    `  API reference  ${url}/docs`,
  ];
  if (config.sandbox) {
    const key = `${relative(process.cwd(), config.dataDir) || "."}/sandbox/key`;
    lines.push(
      `  Simulator      ${url}/simulator  (a phone where you are the customer)`,
      "",
      "Send a first message:",
      `  curl -X POST "${url}/${sandboxStore}/api/messaging/?action=send" \\`,
      `    -H "Authorization: Bearer $(cat ${key})" -H "Content-Type: application/json" \\`,
      `    -d '{"channel":"tg","to":"${ZAINAB.id}","message":"مرحبا زينب 👋"}'`,
      `On WhatsApp it is "channel":"wd","to":"${ZAINAB.number}".`,
    );
  }
  return `\n${lines.join("\n")}\n\nCtrl-C stops everything.\n`;
}
