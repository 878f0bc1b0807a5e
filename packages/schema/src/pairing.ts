// A pairing as whoever pairs sees it live: in the admin API's stream, on the command line.
import { z } from "zod";
import { connectionReason, connectionState } from "./connection.ts";

/**
 * How a connection and its pairing stand. `attention` is the end of a pairing that failed, `connected` of one that did
 * not; in any other state it goes on. What there is none of is left out.
 */
export const pairingState = z
  .object({
    state: connectionState,
    /** To be drawn as a QR code and scanned. */
    qr: z.string().optional(),
    /** To be typed on the phone. */
    code: z.string().optional(),
    /** When `qr` or `code` ends; another one follows by itself, as long as the pairing lasts. */
    expires_at: z.iso.datetime().optional(),
    /** The number of the phone, once one was linked. */
    address: z.string().optional(),
    reason: connectionReason.optional(),
  })
  .meta({ id: "PairingState" });
export type PairingState = z.infer<typeof pairingState>;
