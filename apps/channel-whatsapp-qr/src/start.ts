// Starts this app: the host with the WhatsApp connector.
import { startConnectorHost } from "@thikaa/connector-kit/host";
import type { HostConfig } from "@thikaa/connector-kit/host";
import type { Service } from "@thikaa/runtime";
import { createConnector } from "./connector.ts";

/** Runs this app's share of the WhatsApp connections until `stop`. */
export function start(config: HostConfig): Promise<Service> {
  return startConnectorHost({ connector: createConnector(), config });
}
