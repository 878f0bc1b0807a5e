// Starts the simulator: the stand-ins, the phone over them, and the page. Refused in production.
import type { RequestListener, ServerResponse } from "node:http";
import type { Service } from "@thikaa/runtime";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { loadAssets } from "./assets.ts";
import { createPhone } from "./phone.ts";
import { createRoutes } from "./routes.ts";
import { WebhookLog } from "./webhook-log.ts";

/** Where the Telegram stand-in listens; port 0 takes a free one. */
export interface SimulatorConfig {
  environment: "development" | "production";
  telegram: { host: string; port: number };
}

/** The running simulator. `handle` answers paths under /simulator and may be mounted in any HTTP server. */
export interface SimulatorService extends Service {
  readonly handle: RequestListener;
  readonly telegram: TelegramStandIn;
  /** Deliveries to `/simulator/webhooks/<name>` are checked with this secret (`whsec_…`) from now on. */
  registerWebhookSecret(name: string, secret: string): void;
}

/** Starts it. Rejects in production, and when the stand-in's port is taken. */
export async function start(config: SimulatorConfig): Promise<SimulatorService> {
  if (config.environment === "production") {
    throw new Error(
      "The simulator does not run in production: it would put stand-ins in the place of real providers. Leave it out, or unset THIKAA_ENV.",
    );
  }
  const assets = await loadAssets();
  const telegram = await startTelegramStandIn({ ...config.telegram, firstNumber: growingNumber() });
  const log = new WebhookLog();
  const streams = new Set<ServerResponse>();
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    for (const stream of streams) stream.end();
    await telegram.close();
  };
  return {
    name: "simulator",
    handle: createRoutes({ phone: createPhone(telegram), log, assets, streams }),
    telegram,
    registerWebhookSecret: (name, secret) => log.register(name, secret),
    ready: () => stopping === null,
    stop: () => (stopping ??= stop()),
  };
}

/**
 * Ids must not come back after a restart: the sandbox's database remembers them. Four per second since 2025 stays ahead
 * of any conversation, and within Telegram's 31 bits until 2041.
 */
function growingNumber(): number {
  return Math.floor((Date.now() - Date.UTC(2025, 0, 1)) / 250);
}
