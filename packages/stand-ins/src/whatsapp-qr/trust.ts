// The server's keys and the chain that proves them, under a root of the stand-in's own.
import { Curve, proto } from "@whiskeysockets/baileys";
import type { KeyPair } from "@whiskeysockets/baileys";

/** What a server shows in the handshake. */
export interface Trust {
  /** Signs the intermediate certificate; the real one's public half is compiled into clients. */
  root: KeyPair;
  /** The server's static Noise key. */
  identity: KeyPair;
  /** An encoded CertChain: the root signed the intermediate, which signed the identity. */
  chain: Uint8Array;
}

/** Makes keys and a chain that a strict client accepts once it trusts the root. */
export function createTrust(): Trust {
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const identity = Curve.generateKeyPair();
  const { CertChain } = proto;
  const certificate = (
    details: proto.CertChain.NoiseCertificate.IDetails,
    signer: KeyPair,
  ): proto.CertChain.INoiseCertificate => {
    const encoded = CertChain.NoiseCertificate.Details.encode(details).finish();
    return { details: encoded, signature: Curve.sign(signer.private, encoded) };
  };
  const chain = CertChain.encode({
    intermediate: certificate({ serial: 1, issuerSerial: 0, key: intermediate.public }, root),
    leaf: certificate({ serial: 2, issuerSerial: 1, key: identity.public }, intermediate),
  }).finish();
  return { root, identity, chain };
}
