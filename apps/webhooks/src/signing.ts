// Signs webhooks in both ways: the mission's header over the body, and Standard Webhooks over id, time and body.
import { createHmac, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** The two keys that one webhook secret stands for. */
export interface SigningKeys {
  /** The whole secret string as UTF-8, as the mission's receivers use it. */
  readonly whole: KeyObject;
  /** The bytes that the base64 after `whsec_` stands for, as Standard Webhooks uses them. */
  readonly decoded: KeyObject;
}

export interface SignedParts {
  /** The event's id: the same for every retry, so that receivers can drop repeats. */
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: Buffer;
}

const secretPrefix = "whsec_";

/** The keys of a secret (`whsec_` and base64). */
export function signingKeys(secret: string): SigningKeys {
  const encoded = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  return { whole: createSecretKey(secret, "utf8"), decoded: createSecretKey(encoded, "base64") };
}

/**
 * The signature headers of one attempt. While `previous` lasts, `webhook-signature` carries both and `X-Thikaa-Signature`
 * stays on the previous one, since it has room for one only.
 */
export function signatureHeaders(
  parts: SignedParts,
  current: SigningKeys,
  previous: SigningKeys | null,
): Record<string, string> {
  const thikaa = createHmac("sha256", (previous ?? current).whole)
    .update(parts.body)
    .digest("hex");
  const standard = [current, ...(previous === null ? [] : [previous])].map(
    (keys) => `v1,${standardSignature(parts, keys)}`,
  );
  return {
    "X-Thikaa-Signature": `sha256=${thikaa}`,
    "webhook-id": parts.id,
    "webhook-timestamp": String(parts.timestampSeconds),
    "webhook-signature": standard.join(" "),
  };
}

function standardSignature({ id, timestampSeconds, body }: SignedParts, keys: SigningKeys): string {
  return createHmac("sha256", keys.decoded)
    .update(`${id}.${timestampSeconds}.`)
    .update(body)
    .digest("base64");
}
