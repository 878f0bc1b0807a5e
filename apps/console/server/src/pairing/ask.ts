// Asking for a pairing, and taking it back: rows, and the ring that wakes the connection's owner.
import { askPairing, cancelPairing, readChannelDescriptions } from "@thikaa/db";
import type { AdminConnection } from "@thikaa/db";
import { ApiError, channels, newId, readPhoneNumber } from "@thikaa/schema";
import type { PairingDescription } from "@thikaa/schema";
import { invalid } from "../http/validate.ts";
import type { House } from "../house.ts";

/** After so many seconds a pairing is over, and so is a link that opens one. */
export const pairingSeconds = 600;

export type PairedConnection = Pick<
  AdminConnection,
  "id" | "store_id" | "channel" | "state" | "desired"
>;

export interface PairingRequest {
  readonly askedBy: "admin" | "link";
  /** Digits of the phone that gets a code to type; `null` for one to scan. */
  readonly phone: string | null;
  readonly lastsSeconds: number;
}

/** A number as a person writes it, in digits; throws `invalid_request` when it is none. */
export function phoneFrom(text: string): string {
  const phone = readPhoneNumber(text);
  if (phone === null)
    throw invalid([
      {
        path: "phone",
        message:
          "'phone' is the phone's number with its country code, digits only, like 9647701234567.",
      },
    ]);
  return phone;
}

/** What the channel says of pairing; throws `conflict` where no phone is linked. */
export async function pairingOf(
  house: House,
  { channel }: Pick<PairedConnection, "channel">,
): Promise<PairingDescription> {
  const described = (await readChannelDescriptions(house.database)).get(channel)?.pairing;
  if (described === undefined)
    throw new ApiError("conflict", {
      message: `Connections of ${channels[channel].name.en} are not paired: their credentials are all they need.`,
    });
  return described;
}

/** Asks the connection's owner to pair it. One that is connected stays as it is, and a pairing under way for the same phone goes on. */
export async function ask(
  house: House,
  connection: PairedConnection,
  request: PairingRequest,
): Promise<void> {
  const described = await pairingOf(house, connection);
  if (request.phone !== null && described.typeSteps === null)
    throw new ApiError("conflict", {
      message: "This channel has no code to type; pair it by scanning, without 'phone'.",
    });
  if (connection.desired !== "on")
    throw new ApiError("conflict", {
      message: "The connection is switched off; switch it on, then pair it.",
    });
  if (connection.state === "connected" || connection.state === "limited") return;
  const where = { storeId: connection.store_id, connectionId: connection.id };
  if (await askPairing(house.database, { ...where, ...request, id: newId() }))
    ringPairing(house, connection);
}

/** Takes back what was asked for, and the link. Says whether there was something to take back. */
export async function cancel(house: House, connection: PairedConnection): Promise<boolean> {
  const { store_id: storeId, id: connectionId } = connection;
  const cancelled = await cancelPairing(house.database, { storeId, connectionId });
  if (cancelled) ringPairing(house, connection);
  return cancelled;
}

function ringPairing(house: House, { id, store_id, channel, state }: PairedConnection): void {
  house.bus.ring(
    { ring: "connection", to: [id] },
    { store_id, connection_id: id, channel, state, reason: null },
  );
}
