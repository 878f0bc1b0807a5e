// `npm run test:soak`: load at 60 % of capacity for half an hour with a random fault each minute; then nothing is lost, and nothing has grown.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { broken } from "../faults/judge.ts";
import { pick, randomFrom } from "../faults/random.ts";
import { play } from "../faults/scenes.ts";
import { openServicesHouse } from "../faults/services-house.ts";
import type { ServicesHouse } from "../faults/services-house.ts";
import { table } from "../faults/table.ts";
import { forgetTexts } from "../faults/told.ts";
import { collectorEnvironment, readSoakSettings } from "./config.ts";
import { measure } from "./resources.ts";
import type { Resources } from "./resources.ts";
import { troubles } from "./troubles.ts";

const shareOfCapacity = 0.6;
const minuteMs = 60_000;
const probeMs = 20_000;
const shareToWarm = 1 / 6;
/** Idle connections to PostgreSQL are closed after a minute. */
const settleMs = 75_000;
const allowedGrowth = 0.1;
/** Of few things one more is no growth. */
const allowedMore = 2;

const { minutes, seed } = readSoakSettings();
const random = randomFrom(seed);
const say = (line: string) => process.stdout.write(`${line}\n`);
const faults: string[] = [];

/** One stretch of load; what it broke is noted, and what was recorded of it is forgotten. */
async function stretch(
  house: ServicesHouse,
  given: { name: string; restMs: number; ms: number; trouble?: () => Promise<void> },
): Promise<number> {
  const { name, restMs, ms, trouble } = given;
  const verdict = await play(house, {
    name,
    random,
    restMs,
    restWithinMs: 180_000,
    strike: async () => {
      const over = pause(ms);
      await pause(random() * (ms / 4));
      await trouble?.();
      await over;
    },
  });
  const seen = [...broken(verdict), ...house.neverSeen()].map((fault) => `${name}: ${fault}`);
  faults.push(...seen);
  // While the processes' last lines are about it.
  if (seen.length > 0) say(`${seen.join("\n")}\n${house.lastLines()}`);
  const { accepted, duplicates, flagged, deliveryMs, refusedMs } = verdict;
  say(
    `  ${accepted} accepted, ${duplicates} doubled, ${flagged} flagged, p99 ${deliveryMs.p99} ms, longest ${deliveryMs.max} ms, refused for ${refusedMs} ms at most`,
  );
  house.standIn.record.clear();
  house.standIn.faults.clear();
  forgetTexts(house);
  return accepted;
}

function grown(before: Resources, after: Resources): string[] {
  return [...after].flatMap(([what, now]) => {
    const base = before.get(what) ?? 0;
    const bound = Math.max(base * (1 + allowedGrowth), base + allowedMore);
    return now > bound ? [`${what}: ${Math.round(base)} → ${Math.round(now)}`] : [];
  });
}

async function soak(house: ServicesHouse, folder: string): Promise<void> {
  const sent = await stretch(house, { name: "capacity", restMs: 0, ms: probeMs });
  const perSecond = (shareOfCapacity * sent) / (probeMs / 1_000);
  const restMs = Math.round((house.lanes.length / perSecond) * 1_000);
  say(`capacity ${Math.round(sent / (probeMs / 1_000))}/s; load ${Math.round(perSecond)}/s`);
  // Pools, caches and compiled code grow to their working size: what is compared must have got there.
  const warmMinutes = Math.max(1, Math.round(minutes * shareToWarm));
  await stretch(house, { name: "warm", restMs, ms: warmMinutes * minuteMs });
  await pause(settleMs);
  const before = await measure(house, folder);
  for (let minute = 1; minute <= minutes; minute += 1) {
    const trouble = pick(random, troubles);
    say(`minute ${minute}: ${trouble.name}`);
    await stretch(house, {
      name: `minute-${minute}`,
      restMs,
      ms: minuteMs,
      trouble: () => trouble.happen(house, random),
    });
  }
  await stretch(house, { name: "calm", restMs, ms: minuteMs });
  await pause(settleMs);
  const after = await measure(house, folder);
  say(
    `\n${table(
      [...after].map(([what, now]) => ({
        resource: what,
        before: String(Math.round(before.get(what) ?? 0)),
        after: String(Math.round(now)),
      })),
    )}`,
  );
  faults.push(...grown(before, after));
}

say(`Soak of ${minutes} minutes, THIKAA_FAULTS_SEED=${seed}`);
const folder = await mkdtemp(join(tmpdir(), "thikaa-soak-"));
const house = await openServicesHouse({
  extra: collectorEnvironment(folder),
  counts: { gateways: 2, channels: 2, inboxes: 2, webhooks: 2 },
  bots: 8,
  peoplePerBot: 8,
  wired: true,
});
try {
  await soak(house, folder);
} catch (error) {
  say(house.lastLines());
  throw error;
} finally {
  await house.close();
  await rm(folder, { recursive: true });
}
say(faults.length === 0 ? "\nEvery promise held." : `\nBroken:\n${faults.join("\n")}`);
// Not by itself: after so many sockets Node may turn round for ever at its end (v24), waiting for a handle that has none to close it.
process.exit(faults.length === 0 ? 0 : 1);
