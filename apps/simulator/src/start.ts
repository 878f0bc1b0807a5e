// Starts the simulator: the stand-ins, the phone over them, and the page. Refused in production.
import type { RequestListener, ServerResponse } from "node:http";
import type { Service } from "@thikaa/runtime";
import { startTelegramStandIn, startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn, WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { loadAssets } from "./assets.ts";
import { SHOP, ZAINAB } from "./people.ts";
import { createPhone } from "./phone.ts";
import { createRoutes } from "./routes.ts";
import { createShopPhone } from "./shop-phone.ts";
import { createTelegram } from "./telegram-app.ts";
import { WebhookLog } from "./webhook-log.ts";
import { createWhatsApp } from "./whatsapp-app.ts";

/** Where the stand-ins listen; port 0 takes a free one. */
export interface SimulatorConfig {
  environment: "development" | "production";
  telegram: { host: string; port: number };
  /** With a `stateFile` linked phones stay linked over a restart. */
  whatsapp: { host: string; port: number; stateFile?: string | undefined };
}

/** The running simulator. `handle` answers paths under /simulator and may be mounted in any HTTP server. */
export interface SimulatorService extends Service {
  readonly handle: RequestListener;
  readonly telegram: TelegramStandIn;
  readonly whatsapp: WhatsAppWebStandIn;
  /** Deliveries to `/simulator/webhooks/<name>` are checked with this secret (`whsec_…`) from now on. */
  registerWebhookSecret(name: string, secret: string): void;
}

/** Starts it. Rejects in production, and when a stand-in's port is taken. */
export async function start(config: SimulatorConfig): Promise<SimulatorService> {
  if (config.environment === "production") {
    throw new Error(
      "The simulator does not run in production: it would put stand-ins in the place of real providers. Leave it out, or unset THIKAA_ENV.",
    );
  }
  const assets = await loadAssets();
  const telegram = await startTelegramStandIn({ ...config.telegram, firstNumber: growingNumber() });
  const whatsapp = await startWhatsAppWebStandIn({
    ...config.whatsapp,
    phones: [{ number: ZAINAB.number, name: ZAINAB.firstName }, SHOP],
  }).catch(async (error: unknown) => {
    await telegram.close();
    throw error;
  });
  const log = new WebhookLog();
  const streams = new Set<ServerResponse>();
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    for (const stream of streams) stream.end();
    await Promise.all([telegram.close(), whatsapp.close()]);
  };
  const phone = createPhone([createTelegram(telegram), createWhatsApp(whatsapp)]);
  const shop = createShopPhone(whatsapp);
  return {
    name: "simulator",
    handle: createRoutes({ phone, shop, log, assets, streams }),
    telegram,
    whatsapp,
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
