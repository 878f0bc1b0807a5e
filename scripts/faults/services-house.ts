// The house as a cluster runs it: every app its own process, several of each, each gateway and channel process on wires of its own.
import { startTelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink } from "@thikaa/testkit";
import type { Counts } from "../services/config.ts";
import type { Services } from "../services/start.ts";
import { furnish } from "./house.ts";
import type { Furniture, House } from "./house.ts";
import { runServices } from "./running.ts";
import type { RunningOptions } from "./running.ts";
import { Wires } from "./wires.ts";

export interface ServicesHouse extends House {
  readonly services: Services;
  readonly wires: Wires;
  /** What processes that are made from now on get besides their own settings. */
  readonly extra: Record<string, string>;
}

export interface ServicesHouseOptions extends Furniture, Pick<RunningOptions, "given"> {
  readonly counts: Counts;
  /** Whether gateways and channel processes get wires of their own; each costs the tests' process some work. */
  readonly wired: boolean;
  /** What every process gets besides its own settings, from the first on. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Starts everything and makes the store, its key with the sink as webhook, and its connections. */
export async function openServicesHouse(options: ServicesHouseOptions): Promise<ServicesHouse> {
  const [standIn, sink] = await Promise.all([startTelegramStandIn(), startWebhookSink()]);
  const wires = new Wires();
  const extra: Record<string, string> = { ...options.extra };
  const running = await runServices({
    counts: options.counts,
    given: options.given,
    environment: { TELEGRAM_API_URL: standIn.url },
    environmentOf: (made) => {
      const environment = { ...made.environment, ...extra };
      return options.wired && /^(gateway|channel)-/.test(made.name)
        ? wires.lay({ ...made, environment })
        : Promise.resolve(environment);
    },
  });
  const close = async (): Promise<void> => {
    await running.close();
    await Promise.all([standIn.close(), sink.close(), wires.close()]);
  };
  const outside = { admin: running.admin, standIn, sink };
  const furniture = await furnish(outside, options).catch(async (error: unknown) => {
    process.stderr.write(`${running.lastLines()}\n`);
    await close();
    throw error;
  });
  return { ...running, ...outside, ...furniture, wires, extra, close };
}
