// Telegram said nothing that can be read: whether the call may have been carried out all the same.
import type { MessageReason, Outcome } from "@thikaa/schema";
import { connectTimeoutCode } from "./transport.ts";

/** No readable answer: a network error's code, or what else went wrong. */
export interface TelegramSilence {
  readonly kind: "silent";
  readonly code: string;
}

/** Certainly before a byte of the call was written. */
const neverBegan = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EMFILE",
  connectTimeoutCode,
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** What that means for a message. */
export function silentOutcome({ code }: TelegramSilence): Outcome {
  const provider = { provider_code: code, provider_message: null };
  if (neverBegan.has(code))
    return {
      class: "unavailable",
      reason: {
        code: "provider_unreachable",
        message: "Telegram could not be reached.",
        ...provider,
      } satisfies MessageReason,
    };
  return {
    class: "uncertain",
    reason: {
      code: "no_answer",
      message: "The message went out, but Telegram's answer did not come back.",
      ...provider,
    } satisfies MessageReason,
  };
}
