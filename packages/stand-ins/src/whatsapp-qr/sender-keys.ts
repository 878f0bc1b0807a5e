// Sender keys of groups: one chain for each writing device, given to the members one by one.
import { createHmac, hkdfSync, randomInt } from "node:crypto";
import {
  aesDecryptWithIV,
  aesEncrypWithIV,
  Curve,
  generateSignalPubKey,
  proto,
} from "@whiskeysockets/baileys";
import type { KeyPair } from "@whiskeysockets/baileys";

/** A chain as JSON can keep it. `signing.private` is empty in a chain of somebody else. */
export interface SenderChain {
  id: number;
  iteration: number;
  chainKey: Uint8Array;
  signing: KeyPair;
}

const VERSION = Buffer.from([0x33]);
const SIGNATURE_LENGTH = 64;
/** How far a receiver follows a chain that it missed messages of. */
const MOST_SKIPPED = 2_000;

export function createSenderChain(): SenderChain {
  return {
    id: randomInt(1, 2 ** 31 - 1),
    iteration: 0,
    chainKey: Curve.generateKeyPair().private,
    signing: Curve.generateKeyPair(),
  };
}

/** What a member needs to read from here on. */
export function distributionOf(chain: SenderChain): Uint8Array {
  const encoded = proto.SenderKeyDistributionMessage.encode({
    id: chain.id,
    iteration: chain.iteration,
    chainKey: chain.chainKey,
    signingKey: generateSignalPubKey(chain.signing.public),
  }).finish();
  return Buffer.concat([VERSION, encoded]);
}

/** The chain that somebody else gave. */
export function receivedChain(distribution: Uint8Array): SenderChain {
  const { id, iteration, chainKey, signingKey } = proto.SenderKeyDistributionMessage.decode(
    distribution.subarray(1),
  );
  return {
    id: id ?? 0,
    iteration: iteration ?? 0,
    chainKey: chainKey ?? Buffer.alloc(0),
    signing: { public: Buffer.from(signingKey ?? []).subarray(1), private: Buffer.alloc(0) },
  };
}

/** Encrypts one message and moves the chain on. */
export function encryptWithChain(chain: SenderChain, plaintext: Uint8Array): Uint8Array {
  const { iv, key } = messageKeyOf(chain.chainKey);
  const encoded = proto.SenderKeyMessage.encode({
    id: chain.id,
    iteration: chain.iteration,
    ciphertext: aesEncrypWithIV(Buffer.from(plaintext), key, iv),
  }).finish();
  step(chain);
  const signed = Buffer.concat([VERSION, encoded]);
  return Buffer.concat([signed, Curve.sign(chain.signing.private, signed)]);
}

/** Decrypts one message and moves the chain behind it. Throws when it belongs to another chain or came before. */
export function decryptWithChain(chain: SenderChain, sealed: Uint8Array): Uint8Array {
  const message = proto.SenderKeyMessage.decode(sealed.subarray(1, -SIGNATURE_LENGTH));
  const iteration = message.iteration ?? 0;
  if (message.id !== chain.id) throw new Error("The message belongs to another sender key.");
  if (iteration < chain.iteration) throw new Error("The sender key has moved on.");
  if (iteration - chain.iteration > MOST_SKIPPED)
    throw new Error("The message is too far in the future.");
  while (chain.iteration < iteration) step(chain);
  const { iv, key } = messageKeyOf(chain.chainKey);
  step(chain);
  return aesDecryptWithIV(message.ciphertext ?? Buffer.alloc(0), key, iv);
}

function step(chain: SenderChain): void {
  chain.chainKey = createHmac("sha256", chain.chainKey)
    .update(Buffer.from([2]))
    .digest();
  chain.iteration += 1;
}

function messageKeyOf(chainKey: Uint8Array): { iv: Buffer; key: Buffer } {
  const seed = createHmac("sha256", chainKey)
    .update(Buffer.from([1]))
    .digest();
  const derived = Buffer.from(hkdfSync("sha256", seed, Buffer.alloc(32), "WhisperGroup", 48));
  return { iv: derived.subarray(0, 16), key: derived.subarray(16) };
}
