// The devices of phones: those that the stand-in plays, and linked ones, of which it knows only what a server knows.
import {
  Curve,
  generateRegistrationId,
  generateSignalPubKey,
  signedKeyPair,
} from "@whiskeysockets/baileys";
import type { KeyPair, SignedKeyPair } from "@whiskeysockets/baileys";
import type { SessionRecord } from "libsignal";
import type { SenderChain } from "./sender-keys.ts";
import type { WireNode } from "./wire.ts";

/** A device with keys of its own: the phone itself (id 0), or a computer of the stand-in. All of it survives as JSON. */
export interface OwnDevice {
  id: number;
  registrationId: number;
  identity: KeyPair;
  signedPreKey: SignedKeyPair;
  preKeys: Record<string, KeyPair>;
  nextPreKeyId: number;
  /** Ratchets by the address of the other device. */
  sessions: Record<string, ReturnType<SessionRecord["serialize"]>>;
  /** Chains of groups, by group for its own and by group and device for those of others. */
  senderChains: Record<string, SenderChain>;
}

/** A stanza on its way to a linked device; it stays until the client has receipted or acknowledged it. */
export interface Pending {
  kind: "message" | "receipt" | "notification";
  id: string;
  node: WireNode;
}

/** A client that was paired, as the server knows it. All of it survives as JSON. */
export interface LinkedState {
  id: number;
  platform: string;
  registrationId: number;
  /** By it the client is known again when it logs in. */
  noisePublic: Uint8Array;
  identityPublic: Uint8Array;
  signedPreKey: { keyId: number; publicKey: Uint8Array; signature: Uint8Array };
  preKeys: { keyId: number; publicKey: Uint8Array }[];
  pending: Pending[];
  /** Whether the phone still has to send it its history. */
  historyDue: boolean;
  openings: number;
  conflicts: number;
}

/** What one needs to begin a ratchet with a device. Public keys have 33 bytes. */
export interface KeyBundle {
  registrationId: number;
  identityKey: Uint8Array;
  signedPreKey: { keyId: number; publicKey: Uint8Array; signature: Uint8Array };
  /** Absent when its one-time keys are used up. */
  preKey?: { keyId: number; publicKey: Uint8Array };
}

export function createOwnDevice(id: number): OwnDevice {
  const identity = Curve.generateKeyPair();
  return {
    id,
    registrationId: generateRegistrationId(),
    identity,
    signedPreKey: signedKeyPair(identity, 1),
    preKeys: {},
    nextPreKeyId: 1,
    sessions: {},
    senderChains: {},
  };
}

/** A bundle of an own device, with a one-time key made for it. */
export function takeOwnBundle(device: OwnDevice): KeyBundle {
  const keyId = device.nextPreKeyId;
  const pair = Curve.generateKeyPair();
  device.nextPreKeyId += 1;
  device.preKeys[String(keyId)] = pair;
  const { signedPreKey } = device;
  return {
    registrationId: device.registrationId,
    identityKey: generateSignalPubKey(device.identity.public),
    signedPreKey: {
      keyId: signedPreKey.keyId,
      publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
      signature: signedPreKey.signature,
    },
    preKey: { keyId, publicKey: generateSignalPubKey(pair.public) },
  };
}

/** A bundle of a linked device; its one-time key is given to nobody else. */
export function takeLinkedBundle(linked: LinkedState): KeyBundle {
  const preKey = linked.preKeys.shift();
  const { signedPreKey } = linked;
  return {
    registrationId: linked.registrationId,
    identityKey: generateSignalPubKey(linked.identityPublic),
    signedPreKey: { ...signedPreKey, publicKey: generateSignalPubKey(signedPreKey.publicKey) },
    ...(preKey === undefined
      ? {}
      : { preKey: { keyId: preKey.keyId, publicKey: generateSignalPubKey(preKey.publicKey) } }),
  };
}
