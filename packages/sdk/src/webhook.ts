// Webhooks on the receiver's side: checks both kinds of signature in constant time, and signs as the server does.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookBody } from "@thikaa/schema";

/** A `Headers`, or what Node's `request.headers` holds. */
export type WebhookHeaders =
  | Headers
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyWebhookInput {
  /** The raw body, exactly as it came: parsing and printing it again changes its bytes. */
  readonly body: string | Uint8Array;
  readonly headers: WebhookHeaders;
  /** The key's `webhook_secret`; while it is being changed, both. */
  readonly secret: string | readonly string[];
  /** How far the sender's clock may be from ours. Default 300. */
  readonly toleranceSeconds?: number;
  /** Milliseconds since 1970 that count as now. */
  readonly now?: number;
}

export interface SignWebhookInput {
  /** The event's id. */
  readonly id: string;
  /** The event's type, for `X-Thikaa-Event`. */
  readonly event: string;
  readonly body: string | Uint8Array;
  readonly secret: string;
  /** Milliseconds since 1970 that count as now. */
  readonly now?: number;
}

export type WebhookFault =
  | "missing_signature"
  | "invalid_signature"
  | "stale_timestamp"
  | "invalid_body";

/** Thrown when a webhook must not be believed. Answer it with 400 or 401. */
export class WebhookVerificationError extends Error {
  readonly code: WebhookFault;

  constructor(code: WebhookFault, message: string) {
    super(message);
    this.name = "WebhookVerificationError";
    this.code = code;
  }
}

const secretPrefix = "whsec_";

/**
 * Checks a webhook and gives its body. Standard Webhooks' headers count when they are there, since they carry a time;
 * `X-Thikaa-Signature` counts when they are not. Pass over event types you do not know: new ones may come.
 * Throws `WebhookVerificationError`.
 */
export function verifyWebhook(input: VerifyWebhookInput): WebhookBody {
  const secrets = typeof input.secret === "string" ? [input.secret] : input.secret;
  if (secrets.length === 0 || secrets.some((secret) => secret === ""))
    throw new TypeError("secret is empty.");
  const header = (name: string): string | null => headerOf(input.headers, name);
  const [id, timestamp, listed, thikaa] = [
    header("webhook-id"),
    header("webhook-timestamp"),
    header("webhook-signature"),
    header("x-thikaa-signature"),
  ];
  if (id !== null && timestamp !== null && listed !== null)
    verifyStandard(input, secrets, { id, timestamp, listed });
  else if (thikaa === null)
    throw new WebhookVerificationError("missing_signature", "The request carries no signature.");
  else if (!secrets.some((secret) => same(thikaa, thikaaSignature(secret, input.body))))
    throw invalidSignature();
  return parseBody(input.body);
}

/** The headers of a webhook as the server sends it. */
export function signWebhook({
  id,
  event,
  body,
  secret,
  now = Date.now(),
}: SignWebhookInput): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  return {
    "Content-Type": "application/json",
    "X-Thikaa-Event": event,
    "X-Thikaa-Signature": thikaaSignature(secret, body),
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": standardSignature(secret, `${id}.${timestamp}.`, body),
  };
}

function verifyStandard(
  input: VerifyWebhookInput,
  secrets: readonly string[],
  parts: { id: string; timestamp: string; listed: string },
): void {
  const { id, timestamp, listed } = parts;
  const expected = secrets.map((secret) =>
    standardSignature(secret, `${id}.${timestamp}.`, input.body),
  );
  if (!listed.split(" ").some((given) => expected.some((signature) => same(given, signature))))
    throw invalidSignature();
  const age = Math.abs(
    (input.now ?? Date.now()) / 1_000 -
      (/^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.POSITIVE_INFINITY),
  );
  if (age > (input.toleranceSeconds ?? 300))
    throw new WebhookVerificationError(
      "stale_timestamp",
      "The signature is right, but its time is too far from now.",
    );
}

/** The key is the whole secret string. */
function thikaaSignature(secret: string, body: string | Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** The key is what the base64 after `whsec_` stands for. */
function standardSignature(secret: string, prefix: string, body: string | Uint8Array): string {
  const key = Buffer.from(
    secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret,
    "base64",
  );
  return `v1,${createHmac("sha256", key).update(prefix).update(body).digest("base64")}`;
}

function same(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function headerOf(headers: WebhookHeaders, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const value = typeof entry === "string" ? entry : entry?.[0];
  return value === undefined || value === "" ? null : value;
}

function parseBody(body: string | Uint8Array): WebhookBody {
  try {
    const parsed: unknown = JSON.parse(
      typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body),
    );
    if (
      typeof parsed === "object" &&
      parsed !== null &&
      "event" in parsed &&
      typeof parsed.event === "string" &&
      "data" in parsed
    )
      return parsed as WebhookBody;
  } catch {
    // Told below, in one way for all of it.
  }
  throw new WebhookVerificationError(
    "invalid_body",
    "The signature is right, but the body is not an event.",
  );
}

function invalidSignature(): WebhookVerificationError {
  return new WebhookVerificationError(
    "invalid_signature",
    "The signature does not fit the body and this secret.",
  );
}
