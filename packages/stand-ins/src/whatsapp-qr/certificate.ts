// A certificate of the stand-in's own for https on this machine, written in DER by hand: Node can sign, but not make one.
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A key and its self-signed certificate, both PEM. */
export interface Certificate {
  key: string;
  certificate: string;
}

const TAGS = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
};
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const YEARS = 20;

/** Makes one for 127.0.0.1, ::1 and localhost. A client that trusts it as authority trusts the server. */
export function createCertificate(now: Date): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const name = sequence(
    der(
      TAGS.set,
      sequence(oid(COMMON_NAME), der(TAGS.utf8, Buffer.from("Stand-in of this machine"))),
    ),
  );
  const until = new Date(now);
  until.setUTCFullYear(now.getUTCFullYear() + YEARS);
  const signed = sequence(
    der(0xa0, der(TAGS.integer, Buffer.from([2]))),
    der(TAGS.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(new Date(now.getTime() - 86_400_000)), time(until)),
    name,
    publicKey,
    der(0xa3, sequence(alternativeNames(), authority())),
  );
  const signature = sign("sha256", signed, createPrivateKey(privateKey));
  const bytes = sequence(signed, algorithm, der(TAGS.bits, Buffer.from([0]), signature));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  const certificate = ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""];
  return { key: privateKey, certificate: certificate.join("\n") };
}

function alternativeNames(): Buffer {
  const names = sequence(
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.from([...new Uint8Array(15), 1])),
  );
  return sequence(oid(SUBJECT_ALTERNATIVE_NAME), der(TAGS.octets, names));
}

/** That it may vouch for itself. */
function authority(): Buffer {
  const isAuthority = sequence(Buffer.from([0x01, 0x01, 0xff]));
  return sequence(oid(BASIC_CONSTRAINTS), der(TAGS.octets, isAuthority));
}

function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(TAGS.time, Buffer.from(digits.slice(2)));
}

function oid(hex: string): Buffer {
  return der(TAGS.oid, Buffer.from(hex, "hex"));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(TAGS.sequence, ...parts);
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([Buffer.from([tag, 0x82]), length, body]);
}
