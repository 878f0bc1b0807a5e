// The chain that the server shows holds before a client that really checks it.
import { proto } from "@whiskeysockets/baileys";
import { verifySignature } from "libsignal/src/curve.js";
import { expect, test } from "vitest";
import { createTrust } from "./trust.ts";

const withType = (key: Uint8Array): Buffer => Buffer.concat([Buffer.from([5]), key]);

test("the root signs the intermediate, which signs the server's key; another root did not", () => {
  const trust = createTrust();
  const { intermediate, leaf } = proto.CertChain.decode(trust.chain);
  const details = Buffer.from(intermediate?.details ?? []);
  const { issuerSerial, key } = proto.CertChain.NoiseCertificate.Details.decode(details);
  const signature = Buffer.from(intermediate?.signature ?? []);
  expect(issuerSerial).toBe(0);
  expect(verifySignature(withType(trust.root.public), details, signature)).toBe(true);
  expect(verifySignature(withType(createTrust().root.public), details, signature)).toBe(false);
  const leafDetails = Buffer.from(leaf?.details ?? []);
  const leafSignature = Buffer.from(leaf?.signature ?? []);
  expect(verifySignature(withType(Buffer.from(key ?? [])), leafDetails, leafSignature)).toBe(true);
  const named = proto.CertChain.NoiseCertificate.Details.decode(leafDetails).key;
  expect(Buffer.from(named ?? [])).toEqual(Buffer.from(trust.identity.public));
});
