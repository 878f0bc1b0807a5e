// The phone's part of pairing by eight characters: the code wraps two ephemeral keys, and they wrap the secret.
import { hkdfSync, randomBytes } from "node:crypto";
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  Curve,
  derivePairingCodeKey,
} from "@whiskeysockets/baileys";
import type { KeyPair } from "@whiskeysockets/baileys";

const SALT = 32;
const CTR_IV = 16;
const GCM_IV = 12;
const KEY = 32;
const NOTHING = Buffer.alloc(0);

/** The phone's side of one exchange. */
export interface CodeExchange {
  /** What the client gets: the phone's ephemeral key, wrapped with the code. */
  wrappedEphemeral: Buffer;
  /** Reads what the client answers; throws when the code was another one. Gives the secret of the pairing. */
  finish(wrappedBundle: Buffer): { secret: Buffer; companionIdentity: Buffer };
}

/** Begins the exchange that the typed code allows. A wrong code is noticed only when the client has answered. */
export async function beginCodeExchange(
  code: string,
  wrappedCompanion: Buffer,
  phoneIdentity: KeyPair,
): Promise<CodeExchange> {
  const salt = wrappedCompanion.subarray(0, SALT);
  const iv = wrappedCompanion.subarray(SALT, SALT + CTR_IV);
  const key = await derivePairingCodeKey(code, salt);
  const companion = aesDecryptCTR(wrappedCompanion.subarray(SALT + CTR_IV), key, iv);
  const ephemeral = Curve.generateKeyPair();
  return {
    wrappedEphemeral: await wrap(code, ephemeral.public),
    finish: (bundle) =>
      readBundle(bundle, Curve.sharedKey(ephemeral.private, companion), phoneIdentity),
  };
}

async function wrap(code: string, publicKey: Uint8Array): Promise<Buffer> {
  const salt = randomBytes(SALT);
  const iv = randomBytes(CTR_IV);
  const key = await derivePairingCodeKey(code, salt);
  return Buffer.concat([salt, iv, aesEncryptCTR(publicKey, key, iv)]);
}

function readBundle(
  bundle: Buffer,
  shared: Buffer,
  phoneIdentity: KeyPair,
): { secret: Buffer; companionIdentity: Buffer } {
  const salt = bundle.subarray(0, SALT);
  const info = "link_code_pairing_key_bundle_encryption_key";
  const key = Buffer.from(hkdfSync("sha256", shared, salt, info, KEY));
  const iv = bundle.subarray(SALT, SALT + GCM_IV);
  const plain = aesDecryptGCM(bundle.subarray(SALT + GCM_IV), key, iv, NOTHING);
  const companionIdentity = plain.subarray(0, KEY);
  const random = plain.subarray(2 * KEY);
  const identities = Curve.sharedKey(phoneIdentity.private, companionIdentity);
  const input = Buffer.concat([shared, identities, random]);
  const secret = Buffer.from(hkdfSync("sha256", input, NOTHING, "adv_secret", KEY));
  return { secret, companionIdentity };
}
