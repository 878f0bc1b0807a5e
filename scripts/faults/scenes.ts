// Scenes: load on the house, a blow in the middle of it, and the judgement once it is at rest again.
import { waitFor } from "@thikaa/testkit";
import type { Keeper } from "../services/keeper.ts";
import { Customers, Driver } from "./driver.ts";
import type { FaultHouse } from "./house.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./judge.ts";

export interface Scene {
  /** The first word of every text of the scene; no two scenes of a house share it. */
  readonly name: string;
  readonly random: () => number;
  /** Milliseconds that a lane rests after each message. */
  readonly restMs: number;
  /** What happens while the load goes on. */
  readonly strike: (driver: Driver) => Promise<void>;
  /** How long the house may take to be at rest afterwards, in milliseconds. */
  readonly restWithinMs: number;
}

const customersWriteEveryMs = 60;

/** Plays a scene and judges it. */
export async function play(house: FaultHouse, scene: Scene): Promise<Verdict & { driver: Driver }> {
  const driver = new Driver(house, scene.name, scene.random);
  const customers = new Customers(house, scene.name);
  driver.start(scene.restMs);
  customers.start(customersWriteEveryMs);
  try {
    await waitFor(() => driver.intents.filter(({ accepted }) => accepted).length >= 20, {
      what: "the first accepted messages",
    });
    await scene.strike(driver);
  } finally {
    await Promise.all([driver.stop(), customers.stop()]);
  }
  const verdict = await judge(house, { driver, customers, withinMs: scene.restWithinMs });
  return { ...verdict, driver };
}

/** Sends a signal to a program, once it runs. */
export async function strike(keeper: Keeper | null | undefined, signal: NodeJS.Signals) {
  if (keeper === null || keeper === undefined) throw new Error("There is nothing to strike.");
  await waitFor(() => keeper.pid !== null, { what: `${keeper.name} to run`, deadlineMs: 30_000 });
  keeper.signal(signal);
}

/** The living channel workers and how many connections each holds. */
export async function holdings(house: FaultHouse): Promise<Map<string, number>> {
  const { rows } = await house.database.query<{ id: string; held: number }>({
    text: `SELECT w.id::text AS id, count(a.key)::int AS held FROM workers w
           LEFT JOIN assignments a ON a.worker = w.id AND a.kind = 'connection'
           WHERE w.role = 'channel-tg' AND w.expires_at > now() GROUP BY w.id`,
  });
  return new Map(rows.map(({ id, held }) => [id, held]));
}

/** Resolves once so many channel processes share all connections evenly (± 1); gives the milliseconds it took. */
export async function untilEven(
  house: FaultHouse,
  processes: number,
  withinMs: number,
): Promise<number> {
  const begun = performance.now();
  await waitFor(
    async () => {
      const held = [...(await holdings(house)).values()];
      const all = held.reduce((sum, count) => sum + count, 0);
      const even = Math.max(...held) - Math.min(...held) <= 1;
      return held.length === processes && all === house.bots.length && even;
    },
    { what: `${processes} channel processes with an even share`, deadlineMs: withinMs },
  );
  return performance.now() - begun;
}

/** The present epoch of each connection. */
export async function epochs(house: FaultHouse): Promise<Map<string, number>> {
  const { rows } = await house.database.query<{ key: string; epoch: number }>({
    text: "SELECT key, epoch FROM assignments WHERE kind = 'connection'",
  });
  return new Map(rows.map(({ key, epoch }) => [key, epoch]));
}

/** How often two processes asked for one bot's updates at once, over all bots. */
export function overlappingPolls(house: FaultHouse): number {
  return house.bots.reduce(
    (sum, { botId }) => sum + house.standIn.record.overlappingPolls(botId),
    0,
  );
}
