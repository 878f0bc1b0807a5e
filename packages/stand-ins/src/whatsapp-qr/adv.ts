// The signatures by which a phone vouches for its linked devices, and they for themselves.
import { createHmac, randomInt } from "node:crypto";
import {
  Curve,
  generateSignalPubKey,
  proto,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
} from "@whiskeysockets/baileys";
import type { KeyPair } from "@whiskeysockets/baileys";
import { verifySignature } from "libsignal/src/curve.js";

/** Whom a phone vouches for. */
export interface Vouching {
  phoneIdentity: KeyPair;
  /** The device's identity key, 32 bytes. */
  devicePublic: Uint8Array;
  keyIndex: number;
  now: number;
}

/** What the phone signs for a device. */
export function vouchFor({
  phoneIdentity,
  devicePublic,
  keyIndex,
  now,
}: Vouching): proto.IADVSignedDeviceIdentity {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: randomInt(1, 2 ** 31 - 1),
    timestamp: Math.floor(now / 1000),
    keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const signed = Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, devicePublic]);
  return {
    details,
    accountSignatureKey: phoneIdentity.public,
    accountSignature: Curve.sign(phoneIdentity.private, signed),
  };
}

/** The same for a device of the stand-in's own, which signs too: what it shows to those it writes to for the first time. */
export function identityOf(vouching: Omit<Vouching, "devicePublic">, device: KeyPair): Uint8Array {
  const vouched = vouchFor({ ...vouching, devicePublic: device.public });
  const deviceSignature = Curve.sign(device.private, deviceMessage(vouched, device.public));
  return proto.ADVSignedDeviceIdentity.encode({ ...vouched, deviceSignature }).finish();
}

/** What the server tells the client that was scanned: sealed with the secret that only the code carried. */
export function sealForClient(
  vouched: proto.IADVSignedDeviceIdentity,
  secret: Uint8Array,
): Uint8Array {
  const details = proto.ADVSignedDeviceIdentity.encode(vouched).finish();
  const hmac = createHmac("sha256", secret).update(details).digest();
  return proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish();
}

/** Whether the client signed what the phone vouched for. */
export function isSignedByDevice(
  answer: Uint8Array,
  vouched: proto.IADVSignedDeviceIdentity,
  devicePublic: Uint8Array,
): boolean {
  const { deviceSignature } = proto.ADVSignedDeviceIdentity.decode(answer);
  if (deviceSignature?.length !== 64) return false;
  // Baileys' own `Curve.verify` is true for every signature of 64 bytes.
  return verifySignature(
    Buffer.from(generateSignalPubKey(devicePublic)),
    deviceMessage(vouched, devicePublic),
    Buffer.from(deviceSignature),
  );
}

function deviceMessage(vouched: proto.IADVSignedDeviceIdentity, devicePublic: Uint8Array): Buffer {
  const { details, accountSignatureKey } = vouched;
  if (!details || !accountSignatureKey) throw new Error("Nothing was vouched for.");
  return Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, devicePublic, accountSignatureKey]);
}
