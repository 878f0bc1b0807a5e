// What the gateway hands over to be accepted, and how it may be decided.
import type { ChannelCode, OutboundContent, SendAnswer, Warning } from "@thikaa/schema";

export interface AcceptRequest {
  readonly storeId: string;
  readonly instanceId: string;
  readonly connectionId: string;
  readonly channel: ChannelCode;
  /** The recipient, cleaned. */
  readonly to: string;
  readonly content: OutboundContent;
  readonly clientReference: string | null;
  readonly sendAt: Date | null;
  readonly ttlSeconds: number;
  readonly priceMicro: number;
  readonly warnings: readonly Warning[];
  /** The key, and a digest of the parsed body: the same body means the same message. */
  readonly idempotency: { readonly key: string; readonly fingerprint: Buffer } | null;
}

export type AcceptResult =
  | { readonly kind: "accepted"; readonly answer: SendAnswer }
  | { readonly kind: "replayed"; readonly answer: SendAnswer }
  | { readonly kind: "idempotency_mismatch" }
  | { readonly kind: "idempotency_in_progress" }
  | { readonly kind: "insufficient_balance" };

/** An accepted candidate with what was made for it before the transaction. */
export interface Candidate {
  readonly request: AcceptRequest;
  readonly messageId: string;
  readonly answer: SendAnswer;
}
