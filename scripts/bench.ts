// `npm run bench`: measures the house against its floors in one run, and writes the page when asked to.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openHouse } from "./bench/house.ts";
import { isScene, page, scenes, table } from "./bench/page.ts";
import type { Scene } from "./bench/page.ts";
import type { Line } from "./bench/report.ts";
import { Bench, memory } from "./bench/scenes.ts";
import { whatsapp } from "./bench/whatsapp/scenes.ts";

const gateways = 4;
const { values: flags } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    /** One of the scenes of the page. */
    only: { type: "string" },
  },
});
const rounds = { count: Number(flags.rounds), seconds: Number(flags.seconds) };
if (flags.only !== undefined && !isScene(flags.only))
  throw new Error(`--only takes one of ${scenes.join(", ")}.`);

const wanted = (scene: Scene) => flags.only === undefined || flags.only === scene;
const measured = new Map<Scene, readonly Line[]>();

const loads = (["accepting", "delivering", "receiving"] as const).filter(wanted);
if (loads.length > 0) {
  const house = await openHouse(gateways);
  try {
    const bench = new Bench(house, rounds);
    for (const scene of loads) measured.set(scene, await bench[scene]());
  } finally {
    await house.close();
  }
}
if (wanted("memory")) measured.set("memory", await memory(rounds));
if (wanted("whatsapp")) measured.set("whatsapp", await whatsapp(rounds));

process.stdout.write(`\n${table([...measured.values()].flat())}`);
if (flags.write) {
  const path = join(import.meta.dirname, "../docs/reference/performance.md");
  const before = await readFile(path, "utf8").catch(() => "");
  await writeFile(path, page(before, measured, rounds));
}
