// How a connection and its pairing stand, opened for whoever pairs.
import { findPairingView } from "@thikaa/db";
import type { PairingView } from "@thikaa/db";
import type { PairingState } from "@thikaa/schema";
import { places } from "@thikaa/vault";
import { z } from "zod";
import type { House } from "../house.ts";

const shownCode = z.union([
  z.object({ kind: z.literal("qr"), text: z.string() }).transform(({ text }) => ({ qr: text })),
  z.object({ kind: z.literal("code"), code: z.string() }).transform(({ code }) => ({ code })),
]);

/** `null` when the connection is gone. */
export async function readPairing(
  house: House,
  connectionId: string,
): Promise<PairingState | null> {
  const view = await findPairingView(house.database, connectionId);
  if (view === null) return null;
  const shown = openShown(house, connectionId, view);
  return {
    state: shown === null ? view.state : "pairing",
    ...shown,
    ...(view.address !== null && { address: view.address }),
    ...(view.reason !== null && shown === null && { reason: view.reason }),
  };
}

function openShown(
  { vault, log }: House,
  connectionId: string,
  { shown_sealed: sealed, shown_until: until }: PairingView,
): Pick<PairingState, "qr" | "code" | "expires_at"> | null {
  if (sealed === null || until === null) return null;
  try {
    const text = vault.open(sealed, places.pairingShown(connectionId));
    return { ...shownCode.parse(JSON.parse(text)), expires_at: until.toISOString() };
  } catch (error) {
    log.error({ error, connection: connectionId }, "a pairing code could not be opened");
    return null;
  }
}
