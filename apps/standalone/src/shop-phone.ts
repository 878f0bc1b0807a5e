// The owner of the sandbox's shop: links its phone to the connection by QR, as a person would, once after each start.
import type { Log } from "@thikaa/runtime";
import type { AdminClient } from "@thikaa/sdk";
import { SHOP } from "@thikaa/simulator";
import type { SimulatorService } from "@thikaa/simulator";

interface ShopPhone {
  readonly admin: AdminClient;
  readonly whatsapp: SimulatorService["whatsapp"];
  readonly connectionId: string;
  readonly log: Log;
}

/** A pairing lasts minutes; whoever fails this often fails for good. */
const mostPairings = 3;

/**
 * Begins to link the phone, unless it is linked, and says in the log when it can't be. Once it was linked, or was found so,
 * it is left alone: who unlinks it by hand wants it so until the next start. Gives what stops it.
 */
export function startLinking(phone: ShopPhone): () => Promise<void> {
  const stopping = new AbortController();
  const linking = link(phone, stopping.signal).catch((error: unknown) => {
    if (stopping.signal.aborted) return;
    const connection = phone.connectionId;
    phone.log.warn(
      { error, connection },
      "the sandbox's WhatsApp is not linked: link it at /simulator, or start again",
    );
  });
  return () => {
    stopping.abort();
    return linking;
  };
}

async function link(
  { admin, whatsapp, connectionId, log }: ShopPhone,
  signal: AbortSignal,
): Promise<void> {
  let pairings = 0;
  for await (const { state, qr, reason } of admin.watchPairing(connectionId, { signal })) {
    // The row may still tell of the run before; the stand-in knows better.
    const isLinked = whatsapp.phone(SHOP.number).linked.some(({ connected }) => connected);
    if (state === "off" || (state === "connected" && isLinked)) return;
    if (qr !== undefined)
      await whatsapp
        .scan({ phone: SHOP.number, qr })
        .catch((error: unknown) => log.debug({ error }, "a code was not taken; another follows"));
    else if (state === "attention") {
      if (pairings++ === mostPairings) throw new Error(reason?.message ?? "It was not linked.");
      await admin.pair(connectionId);
    }
  }
}
