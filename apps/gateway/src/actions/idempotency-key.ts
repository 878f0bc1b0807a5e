// Reading the Idempotency-Key of a request, with the digest of what it came with.
import { ApiError, limits } from "@thikaa/schema";
import { fingerprint } from "@thikaa/sending";
import type { Exchange } from "../answer.ts";

export interface IdempotencyKey {
  readonly key: string;
  readonly fingerprint: Buffer;
}

/**
 * The key with the digest of a parsed body (`undefined` when it could not be parsed), or what is wrong with it; `null`
 * without one. Quotes around it, as the draft standard writes them, are taken off.
 */
export function readIdempotencyKey(
  exchange: Exchange,
  body: unknown,
): IdempotencyKey | ApiError | null {
  const header = exchange.request.headers["idempotency-key"];
  if (typeof header !== "string") return null;
  const key = header.trim().replace(/^"(.*)"$/, "$1");
  if (key === "" || key.length > limits.idempotencyKeyLength) {
    return new ApiError("invalid_request", {
      message: `'Idempotency-Key' must have 1 to ${limits.idempotencyKeyLength} characters.`,
      details: [
        {
          path: "Idempotency-Key",
          message: `It must have 1 to ${limits.idempotencyKeyLength} characters.`,
        },
      ],
    });
  }
  return { key, fingerprint: digestOf(body) };
}

/** A body that could not be parsed equals no stored one; nor does one nested too deep to be compared. */
function digestOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  try {
    return fingerprint(body);
  } catch (error) {
    if (error instanceof RangeError) return Buffer.alloc(0);
    throw error;
  }
}
