// Starts this app: the host with the WhatsApp connector.
import { startConnectorHost } from "@thikaa/connector-kit/host";
import type { HostConfig } from "@thikaa/connector-kit/host";
import type { Service } from "@thikaa/runtime";
import { createConnector } from "./connector.ts";
import { ProcessLimits, usualLimits } from "./process-limits.ts";
import { timing } from "./timing.ts";

export interface WhatsAppConfig extends HostConfig {
  /** The most phones that this process runs. */
  readonly mostSessions?: number | undefined;
}

/** Runs this app's share of the WhatsApp connections until `stop`. */
export async function start(config: WhatsAppConfig): Promise<Service> {
  const { mostSessions = usualLimits.sessions } = config;
  const limits = new ProcessLimits({ ...usualLimits, sessions: mostSessions });
  const service = await startConnectorHost({ connector: createConnector(timing, limits), config });
  const sessions = service.metrics?.gauge(
    "whatsapp_sessions",
    "Sessions with WhatsApp that this process has open or is opening.",
    ["state"],
  );
  service.metrics?.beforeScrape(() => {
    sessions?.set({ state: "opening" }, limits.opening);
    sessions?.set({ state: "open" }, limits.sessions - limits.opening);
  });
  return service;
}
