// Checks the two signatures of a webhook delivery, as a receiver following the documentation would.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** `stale`: right, but older or newer than receivers accept. `unregistered`: this endpoint's secret is not known here. */
export type SignatureVerdict = "valid" | "invalid" | "missing" | "stale" | "unregistered";

/** What both checks said. */
export interface SignatureVerdicts {
  /** `X-Thikaa-Signature`. */
  thikaa: SignatureVerdict;
  /** `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
  standard: SignatureVerdict;
}

/** One delivery as it arrived; `body` is the exact bytes. */
export interface SignedDelivery {
  headers: IncomingHttpHeaders;
  body: Buffer;
  receivedAt: Date;
}

const TOLERANCE_SECONDS = 300;

/** Checks both signatures with the endpoint's secret (`whsec_…`), or says that there is none. */
export function checkSignatures(
  delivery: SignedDelivery,
  secret: string | null,
): SignatureVerdicts {
  if (secret === null) return { thikaa: "unregistered", standard: "unregistered" };
  return { thikaa: checkThikaa(delivery, secret), standard: checkStandard(delivery, secret) };
}

/** The key is the whole secret string; the signature is hexadecimal. */
function checkThikaa({ headers, body }: SignedDelivery, secret: string): SignatureVerdict {
  const given = single(headers["x-thikaa-signature"]);
  if (given === null) return "missing";
  const expected = `sha256=${createHmac("sha256", Buffer.from(secret, "utf8")).update(body).digest("hex")}`;
  return same(given, expected) ? "valid" : "invalid";
}

/** The key is what follows `whsec_`, decoded; several signatures may be listed while a secret is being changed. */
function checkStandard(
  { headers, body, receivedAt }: SignedDelivery,
  secret: string,
): SignatureVerdict {
  const id = single(headers["webhook-id"]);
  const timestamp = single(headers["webhook-timestamp"]);
  const listed = single(headers["webhook-signature"]);
  if (id === null || timestamp === null || listed === null) return "missing";
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  if (!listed.split(" ").some((given) => same(given, expected))) return "invalid";
  const age = Math.abs(receivedAt.getTime() / 1000 - Number(timestamp));
  return age <= TOLERANCE_SECONDS ? "valid" : "stale";
}

function same(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}

function single(header: string | string[] | undefined): string | null {
  return typeof header === "string" && header !== "" ? header : null;
}
