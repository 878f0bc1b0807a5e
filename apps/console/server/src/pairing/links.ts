// Links that open one connection's pairing to whoever has them: made once, known only by a digest.
import { createHash } from "node:crypto";
import { findPairingLink, savePairingLink } from "@thikaa/db";
import type { PairingLink } from "@thikaa/db";
import { newToken } from "@thikaa/vault";
import type { House } from "../house.ts";
import { pairingSeconds } from "./ask.ts";
import type { PairedConnection } from "./ask.ts";

/** As `newToken` makes them: nothing else is looked up. */
const tokenForm = /^[A-Za-z0-9_-]{43}$/;

/** Makes the connection's link, in the place of an earlier one. Its path is shown once and never stored. */
export async function makeLink(
  house: House,
  { id: connectionId, store_id: storeId }: PairedConnection,
): Promise<{ path: string; expiresAt: Date }> {
  const token = newToken();
  const expiresAt = await savePairingLink(house.database, {
    storeId,
    connectionId,
    tokenDigest: digest(token),
    lastsSeconds: pairingSeconds,
  });
  return { path: `/pair/${token}`, expiresAt };
}

/**
 * The link of a token; `null` when there is none, or its time is over. It is found by its digest: how long the look-up
 * takes may tell of digests, and from these nobody finds a token.
 */
export async function linkOf(house: House, token: string): Promise<PairingLink | null> {
  return tokenForm.test(token) ? findPairingLink(house.database, digest(token)) : null;
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
