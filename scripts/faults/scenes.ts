// Scenes: load on the house, a blow in the middle of it, and the judgement once it is at rest again.
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@thikaa/testkit";
import type { Keeper } from "@thikaa/embedded";
import { Customers, Driver } from "./driver.ts";
import type { House, Played, Recipient } from "./house.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./judge.ts";

export interface Scene {
  /** The first word of every text of the scene; no two scenes of a house share it. */
  readonly name: string;
  readonly random: () => number;
  /** Milliseconds that a lane rests after each message. */
  readonly restMs: number;
  /** What happens while the load goes on. */
  readonly strike: (load: Load) => Promise<void>;
  /** How long the house may take to be at rest afterwards, in milliseconds. */
  readonly restWithinMs: number;
  readonly lanes?: readonly Recipient[];
  readonly gateways?: () => readonly string[];
  readonly customersEveryMs?: number;
  /** Rows of the queues that belong to no scene: with no more than these the house is at rest. */
  readonly queuedApart?: number;
}

export interface Load {
  readonly driver: Driver;
  readonly customers: Customers;
}

const customersWriteEveryMs = 60;
const firstSends = 20;

/** Plays a scene and judges it. */
export async function play(house: Played, scene: Scene): Promise<Verdict & Load> {
  const driver = new Driver({ house, ...scene });
  const customers = new Customers(house, scene.name);
  driver.start(scene.restMs);
  customers.start(scene.customersEveryMs ?? customersWriteEveryMs);
  const struck = await waitFor(
    () => driver.intents.filter(({ accepted }) => accepted).length >= firstSends,
    { what: "the first accepted messages", deadlineMs: 30_000 },
  )
    .then(() => scene.strike({ driver, customers }))
    .then(
      () => null,
      (error: unknown) => ({ error }),
    );
  await Promise.all([driver.stop(), customers.stop()]);
  // Judged even when the strike failed: the next scene's books go on from this one's.
  const { restWithinMs, queuedApart = 0 } = scene;
  const verdict = await judge(house, { driver, customers, withinMs: restWithinMs, queuedApart });
  if (struck !== null) throw struck.error;
  return { ...verdict, driver, customers };
}

/** A server that was killed replays its log first, and comes back later the more often it is killed. */
const runsWithinMs = 120_000;

/** Sends a signal to a program, once it runs. */
export async function strike(keeper: Keeper | null | undefined, signal: NodeJS.Signals) {
  if (keeper === null || keeper === undefined) throw new Error("There is nothing to strike.");
  await waitFor(() => keeper.pid !== null, {
    what: `${keeper.name} to run`,
    deadlineMs: runsWithinMs,
  });
  keeper.signal(signal);
}

/** The living channel workers and how many connections each holds. */
export async function holdings(house: House): Promise<Map<string, number>> {
  const { rows } = await house.database.query<{ id: string; held: number }>({
    text: `SELECT w.id::text AS id, count(a.key)::int AS held FROM workers w
           LEFT JOIN (assignments a JOIN connections c ON c.id::text = a.key JOIN stores s ON s.id = c.store_id AND s.slug = $1) ON a.worker = w.id AND a.kind = 'connection'
           WHERE w.role = 'channel-tg' AND w.expires_at > now() GROUP BY w.id`,
    values: [house.slug],
  });
  return new Map(rows.map(({ id, held }) => [id, held]));
}

const lookEveryMs = 25;

/** Resolves once so many channel processes share all connections evenly (± 1); gives the milliseconds it took. */
export async function untilEven(
  house: House,
  processes: number,
  withinMs: number,
): Promise<number> {
  const begun = performance.now();
  await waitFor(
    async () => {
      await pause(lookEveryMs);
      const held = [...(await holdings(house)).values()];
      const all = held.reduce((sum, count) => sum + count, 0);
      const even = Math.max(...held) - Math.min(...held) <= 1;
      return held.length === processes && all === house.bots.length && even;
    },
    { what: `${processes} channel processes with an even share`, deadlineMs: withinMs },
  );
  return performance.now() - begun;
}

/** Resolves once one of the workers of before is gone and the others hold all connections; gives its id and the milliseconds it took. */
export async function untilTakenOver(
  house: House,
  before: ReadonlySet<string>,
): Promise<{ gone: string; tookMs: number }> {
  const begun = performance.now();
  const gone = await waitFor(
    async () => {
      await pause(lookEveryMs);
      const living = await holdings(house);
      const lost = [...before].find((worker) => !living.has(worker));
      const held = [...living.values()].reduce((sum, count) => sum + count, 0);
      return lost !== undefined && held === house.bots.length && lost;
    },
    { what: "another process to take over", deadlineMs: 60_000 },
  );
  return { gone, tookMs: performance.now() - begun };
}

/** The longest time in milliseconds in which nobody asked for one bot's updates, after a moment and until now. */
export function longestUnpolled(house: House, since: number): number {
  return Math.max(
    ...house.bots.map(({ botId }) => {
      const polls = house.standIn.record
        .calls({ botId, method: "getUpdates" })
        .filter(({ at }) => at >= since)
        .map(({ at }) => at);
      const moments = [since, ...polls, Date.now()];
      return Math.max(...moments.map((at, index) => at - (moments[index - 1] ?? at)));
    }),
  );
}
