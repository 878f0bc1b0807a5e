// `npm run bench`: measures the house against its floors in one run, and writes the page when asked to.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openHouse } from "./bench/house.ts";
import { page } from "./bench/report.ts";
import type { Line } from "./bench/report.ts";
import { Bench, memory } from "./bench/scenes.ts";

const gateways = 4;
const { values: flags } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    /** One of: accepting, delivering, receiving, memory. */
    only: { type: "string" },
  },
});
const rounds = { count: Number(flags.rounds), seconds: Number(flags.seconds) };

const wanted = (scene: string) => flags.only === undefined || flags.only === scene;

const lines: Line[] = [];
const scenes = (["accepting", "delivering", "receiving"] as const).filter(wanted);
if (scenes.length > 0) {
  const house = await openHouse(gateways);
  try {
    const bench = new Bench(house, rounds);
    for (const scene of scenes) lines.push(...(await bench[scene]()));
  } finally {
    await house.close();
  }
}
if (wanted("memory")) lines.push(...(await memory()));

const text = page(lines, rounds);
process.stdout.write(`\n${text.slice(0, text.indexOf("\n## "))}\n`);
if (flags.write)
  await writeFile(join(import.meta.dirname, "../docs/reference/performance.md"), text);
