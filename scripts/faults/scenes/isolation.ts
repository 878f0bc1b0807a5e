// Isolation: what is slow, throttled, dead or hanging delays nobody else; each is measured against a baseline of the same run.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import { expect, test } from "vitest";
import type { Stage } from "../ground.ts";
import { makeBots, makeLane, makeStore } from "../house.ts";
import type { BotConnection, House, Lane } from "../house.ts";
import { timesOf } from "../judge.ts";
import type { Times } from "../judge.ts";
import type { Load } from "../scenes.ts";
import { toldTo } from "../told.ts";

/** How much slower the others may be. */
const allowedFactor = 2;
const measureMs = 30_000;
/** A message each so many milliseconds, over all lanes: far below capacity, since what is measured is who waits for whom. */
const loadEveryMs = 16;
const queuedBehindThrottle = 100_000;
const queuedBehindDead = 1_000;

/** Of the house's bots the first is throttled, the second dead; all others are measured. */
export function throttledAndDeadScene(stage: Stage<House>): void {
  const { settings } = stage.ground;

  test(
    "with one connection throttled before 100,000 messages and one dead, the others' p99 is at most twice the baseline",
    async () => {
      const { house } = stage;
      const [throttled, dead] = house.bots;
      if (throttled === undefined || dead === undefined) throw new Error("There are no bots.");
      const lanes = house.lanes.filter(({ bot }) => bot !== throttled && bot !== dead);
      const scene = { lanes, restMs: lanes.length * loadEveryMs, restWithinMs: 60_000 };
      const strike = () => pause(measureMs);
      const baseline = await stage.play({ ...scene, name: "others-alone", strike });
      const { faults } = house.standIn;
      // What customers write comes in all the same.
      faults.add({
        kind: "throttled",
        retryAfter: 1,
        botId: throttled.botId,
        method: "sendMessage",
        times: "always",
      });
      faults.add({ kind: "hang", botId: dead.botId, method: "sendMessage", times: "always" });
      await queueBehind(house, throttled, queuedBehindThrottle);
      await queueBehind(house, dead, queuedBehindDead);
      await waitFor(() => faults.list().every(({ hits }) => hits > 0), {
        what: "both connections to be in trouble",
        deadlineMs: 120_000,
      });
      const { deliveryMs } = await stage.play({
        ...scene,
        name: "others-beside",
        queuedApart: queuedBehindThrottle + queuedBehindDead,
        notes: () => ({ connections: house.bots.length }),
        strike,
      });
      expect(deliveryMs.p99).toBeLessThanOrEqual(allowedFactor * baseline.deliveryMs.p99);
    },
    settings.sceneMs,
  );
}

/** Puts messages into the queue of a connection: each to another recipient, free of charge, in no scene's books. */
async function queueBehind(house: House, bot: BotConnection, count: number): Promise<void> {
  const { rowCount } = await house.database.query({
    text: `WITH made AS (
             INSERT INTO messages (store_id, id, direction, origin, instance_id, connection_id, channel, address, type, content, status, deadline_at)
             SELECT t.store_id, uuidv7(), t.direction, t.origin, t.instance_id, c.id, t.channel, (900000000 + n)::text, t.type, t.content, 'queued', now() + interval '1 day'
             FROM connections c, generate_series(1, $2::int) AS n, (SELECT * FROM messages WHERE direction = 'out' LIMIT 1) t
             WHERE c.address = $1 RETURNING store_id, id, connection_id, address, deadline_at
           )
           INSERT INTO send_queue (store_id, message_id, connection_id, address, deadline_at) SELECT store_id, id, connection_id, address, deadline_at FROM made`,
    values: [String(bot.botId), count],
  });
  expect(rowCount).toBe(count);
}

const sickStores = 10;
const sickSayEveryMs = 60;

/** Stores beside the house's own whose webhooks never answer. */
export function hangingWebhooksScene(stage: Stage<House>): void {
  const { settings } = stage.ground;

  test(
    "with the webhooks of 10 stores hanging, the healthy one is told with at most twice the baseline's p99",
    async () => {
      const { house } = stage;
      const sick = await sickLanes(house);
      const scene = { restMs: 2_000, restWithinMs: 60_000 };
      const told: Times[] = [];
      const measure = (isHanging: boolean) => async (load: Load) => {
        house.sink.answer(({ path }) =>
          isHanging && path.startsWith("/sick-") ? { hang: true } : {},
        );
        const end = performance.now() + measureMs;
        for (let number = 0; performance.now() < end; number += 1) {
          const lane = sick[number % sick.length];
          if (lane !== undefined)
            house.standIn.personSays({
              personId: lane.personId,
              botId: lane.bot.botId,
              text: `${load.driver.name} to the sick ${number}`,
            });
          await pause(sickSayEveryMs);
        }
        told.push(toldTimes(house, load));
      };
      await stage.play({ ...scene, name: "webhooks-well", strike: measure(false) });
      await stage.play({
        ...scene,
        name: "webhooks-hang",
        queuedApart: Number.POSITIVE_INFINITY,
        notes: () => ({
          "told p99 before ms": told[0]?.p99 ?? 0,
          "told p99 ms": told[1]?.p99 ?? 0,
        }),
        strike: measure(true),
      });
      expect(told[1]?.p99).toBeLessThanOrEqual(allowedFactor * (told[0]?.p99 ?? 0));
    },
    settings.sceneMs,
  );
}

async function sickLanes(house: House): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (let number = 1; number <= sickStores; number += 1) {
    const { slug } = await makeStore(house, { slug: `sick-${number}`, credits: 100 });
    const [bot] = await makeBots(house, { slug, count: 1, prefix: `sick_${number}` });
    if (bot !== undefined) lanes.push(makeLane(house.standIn, bot, 810_000_000 + number));
  }
  return lanes;
}

/** From a customer's word to the sink, of all that has been told. */
function toldTimes(house: House, { customers }: Load): Times {
  const { firstAt } = toldTo(house);
  return timesOf(
    customers.said.flatMap(({ text, at }) => {
      const told = firstAt.get(text);
      return told === undefined ? [] : [told - at];
    }),
  );
}
