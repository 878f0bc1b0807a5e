// The door to the WhatsApp Web stand-in: what it needs is loaded only when one is started.
import type { WhatsAppWebStandIn, WhatsAppWebStandInOptions } from "./contract.ts";

/**
 * Starts the server; resolves when it listens. Rejects when the port is taken, or the state file is none.
 * Loading Baileys takes half a second and 45 MB, which who uses another stand-in need not pay.
 */
export async function startWhatsAppWebStandIn(
  options: WhatsAppWebStandInOptions = {},
): Promise<WhatsAppWebStandIn> {
  const { start } = await import("./stand-in.ts");
  return start(options);
}
