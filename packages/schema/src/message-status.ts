// A message's status: the order of its life, and which ones are final.
import { z } from "zod";

export const messageStatuses = [
  "scheduled",
  "queued",
  "sending",
  "sent",
  "delivered",
  "read",
  "failed",
  "uncertain",
  "cancelled",
] as const;
export const messageStatus = z.enum(messageStatuses).meta({ id: "MessageStatus" });
export type MessageStatus = z.infer<typeof messageStatus>;

export const partStatuses = [
  "queued",
  "sending",
  "sent",
  "delivered",
  "read",
  "failed",
  "uncertain",
] as const;
export const partStatus = z.enum(partStatuses).meta({ id: "PartStatus" });
export type PartStatus = z.infer<typeof partStatus>;

/** Why a message failed or waits: our code, our words, and the provider's own code and words where there are any. */
export const messageReason = z
  .object({
    code: z.string(),
    message: z.string(),
    provider_code: z.string().nullable(),
    provider_message: z.string().nullable(),
  })
  .meta({ id: "MessageReason" });
export type MessageReason = z.infer<typeof messageReason>;

/** Outcome classes of one provider call; each error of a provider maps to one of them. */
export const outcomeClasses = [
  "sent",
  "throttled",
  "unavailable",
  "uncertain",
  "rejected",
  "unauthorized",
  "poison",
] as const;
export const outcomeClass = z.enum(outcomeClasses);
export type OutcomeClass = z.infer<typeof outcomeClass>;

/**
 * What came of one call of a provider.
 * `throttled`: not sent, wait `retryAfterMs`; `unavailable`: certainly not sent; `uncertain`: bytes went out and no answer came;
 * `rejected`: the provider refuses this message for good; `unauthorized`: the connection's credentials are dead; `poison`: our own fault.
 */
export type Outcome =
  /** `null` where the call made no message of its own, as an edit does not. */
  | { readonly class: "sent"; readonly providerMessageId: string | null }
  | {
      readonly class: "throttled";
      readonly retryAfterMs: number;
      readonly scope: "recipient" | "connection";
      readonly reason: MessageReason;
    }
  | {
      readonly class: "unavailable";
      readonly reason: MessageReason;
      /** `false` when the provider was not even asked, for a cause of our own: it is due again at once, and no wait grows. */
      readonly asked?: false;
    }
  | {
      readonly class: "uncertain" | "rejected" | "unauthorized" | "poison";
      readonly reason: MessageReason;
    };

/** Seconds to wait before each further try after failures that count; ± 20 % is added where it is used. */
export const backoffSeconds = [1, 5, 30, 120, 600, 1800, 7200] as const;

/** The wait before the next try, in milliseconds, after `failures` failed ones (1 or more). `random` is in [0, 1). */
export function backoffMs(failures: number, random: number = Math.random()): number {
  const index = Math.min(Math.max(failures, 1), backoffSeconds.length) - 1;
  return Math.round((backoffSeconds[index] ?? 1) * 1000 * (0.8 + 0.4 * random));
}
