// What a webhook's URL must look like. A name may still lead to a private address: that is checked again at every delivery.
import { checkUrl, EgressError, userUrlRules } from "@thikaa/egress";
import type { ConsoleConfig } from "../config.ts";

/** What is wrong with a webhook's URL, or `null`. Plain HTTP, odd ports and this machine itself are allowed outside production only. */
export function webhookFault(
  text: string,
  config: Pick<ConsoleConfig, "environment" | "allowPrivateNetwork">,
): string | null {
  const production = config.environment === "production";
  try {
    checkUrl(text, userUrlRules({ production, allowPrivateNetwork: config.allowPrivateNetwork }));
    return null;
  } catch (error) {
    if (error instanceof EgressError) return `'webhook': ${error.message}.`;
    throw error;
  }
}
