// The responder's side of Noise_XX_25519_AESGCM_SHA256, and the ciphers that follow it.
import { hkdfSync } from "node:crypto";
import {
  aesDecryptGCM,
  aesEncryptGCM,
  Curve,
  NOISE_MODE,
  NOISE_WA_HEADER,
  proto,
  sha256,
} from "@whiskeysockets/baileys";
import type { Trust } from "./trust.ts";

const NOTHING = Buffer.alloc(0);

/** What the client told in its last message of the handshake. */
export interface Introduction {
  /** Its static key: by it a linked device is known again. */
  noisePublic: Buffer;
  payload: proto.ClientPayload;
  transport: Transport;
}

/** One handshake. Throws when the client's messages don't fit. */
export class NoiseResponder {
  readonly #trust: Trust;
  readonly #ephemeral = Curve.generateKeyPair();
  #hash: Buffer = Buffer.from(NOISE_MODE);
  #salt: Buffer = this.#hash;
  #key: Buffer = this.#hash;
  #counter = 0;

  constructor(trust: Trust) {
    this.#trust = trust;
    this.#mixHash(NOISE_WA_HEADER);
  }

  /** Answers the client's first message. */
  answerHello(message: Uint8Array): Uint8Array {
    const ephemeral = proto.HandshakeMessage.decode(message).clientHello?.ephemeral;
    if (!ephemeral?.length) throw new Error("The client sent no hello.");
    this.#mixHash(ephemeral);
    this.#mixHash(this.#ephemeral.public);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, ephemeral));
    const encryptedStatic = this.#encrypt(this.#trust.identity.public);
    this.#mixKey(Curve.sharedKey(this.#trust.identity.private, ephemeral));
    const payload = this.#encrypt(this.#trust.chain);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: encryptedStatic, payload },
    }).finish();
  }

  /** Reads the client's second message. */
  readFinish(message: Uint8Array): Introduction {
    const finish = proto.HandshakeMessage.decode(message).clientFinish;
    if (!finish?.static?.length || !finish.payload?.length)
      throw new Error("The client did not finish the handshake.");
    const noisePublic = this.#decrypt(finish.static);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, noisePublic));
    const payload = proto.ClientPayload.decode(this.#decrypt(finish.payload));
    const [fromClient, toClient] = this.#derive(NOTHING);
    return { noisePublic, payload, transport: new Transport(fromClient, toClient) };
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  #mixKey(secret: Uint8Array): void {
    [this.#salt, this.#key] = this.#derive(secret);
    this.#counter = 0;
  }

  #derive(secret: Uint8Array): [Buffer, Buffer] {
    const derived = Buffer.from(hkdfSync("sha256", secret, this.#salt, NOTHING, 64));
    return [derived.subarray(0, 32), derived.subarray(32)];
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plaintext, this.#key, counterIv(this.#counter), this.#hash);
    this.#counter += 1;
    this.#mixHash(sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Buffer {
    const plaintext = aesDecryptGCM(sealed, this.#key, counterIv(this.#counter), this.#hash);
    this.#counter += 1;
    this.#mixHash(sealed);
    return plaintext;
  }
}

/** The two ciphers after a handshake, each with its own counter. */
export class Transport {
  readonly #fromClient: Buffer;
  readonly #toClient: Buffer;
  #read = 0;
  #written = 0;

  constructor(fromClient: Buffer, toClient: Buffer) {
    this.#fromClient = fromClient;
    this.#toClient = toClient;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plaintext, this.#toClient, counterIv(this.#written), NOTHING);
    this.#written += 1;
    return sealed;
  }

  decrypt(sealed: Uint8Array): Buffer {
    const plaintext = aesDecryptGCM(sealed, this.#fromClient, counterIv(this.#read), NOTHING);
    this.#read += 1;
    return plaintext;
  }
}

function counterIv(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}
