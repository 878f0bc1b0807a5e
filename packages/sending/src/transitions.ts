// Transitions: what a message does after an outcome. Pure, so that every case can be read and tested in one place.
import type { InboundReceipt, MessageReason, Outcome, PartStatus } from "@thikaa/schema";
import type { BegunAttempt } from "./claim-types.ts";

/** The message's row in the queue as it stands when the outcome comes in. */
export interface QueueRow {
  /** Attempts begun so far; the attempt with this number is the one that decides. */
  readonly attempts: number;
  readonly failures: number;
  /** Failures that were our own fault. */
  readonly poisons: number;
  readonly overdue: boolean;
  readonly claimed: boolean;
  readonly on_uncertain: "retry" | "hold";
}

export type Step =
  | { readonly kind: "next-part" }
  | {
      readonly kind: "finish";
      readonly status: "sent" | "failed" | "uncertain";
      readonly reason: MessageReason | null;
      readonly final?: boolean;
    }
  | {
      readonly kind: "wait";
      /** Milliseconds; `null` takes the backoff for `failures`. */
      readonly waitMs: number | null;
      readonly counts: boolean;
      /** Whether it was our own fault, which is given up after three times. */
      readonly poison: boolean;
      readonly failures: number;
      readonly uncertain: boolean;
      readonly reason: MessageReason;
    }
  /** Evidence about an attempt that no longer decides; `duplicate` when the customer may have got it twice. */
  | { readonly kind: "late"; readonly duplicate: boolean };

/** Tries after which our own fault is given up. */
const poisonTries = 3;

/** What follows from an outcome. `row` is null when the message has left the queue. */
export function decide(input: {
  outcome: Outcome;
  attempt: Pick<BegunAttempt, "part" | "partCount">;
  number: number;
  row: QueueRow | null;
}): Step {
  const { outcome, attempt, number, row } = input;
  if (row === null || number < row.attempts)
    return { kind: "late", duplicate: outcome.class === "sent" && row !== null };
  if (outcome.class === "sent") {
    if (attempt.part.n < attempt.partCount)
      return row.claimed ? { kind: "next-part" } : afterLateSuccess();
    return { kind: "finish", status: "sent", reason: null };
  }
  if (outcome.class === "rejected")
    return { kind: "finish", status: "failed", reason: outcome.reason };
  if (outcome.class === "uncertain") return afterUncertain(outcome.reason, row);
  if (row.overdue) return { kind: "finish", status: "failed", reason: expired(outcome.reason) };
  if (outcome.class === "throttled")
    return wait({ row, reason: outcome.reason, waitMs: outcome.retryAfterMs, counts: false });
  // The connection stops claiming until its owner has new credentials; its messages wait without a penalty.
  if (outcome.class === "unauthorized")
    return wait({ row, reason: outcome.reason, waitMs: 0, counts: false });
  // A process that lost its lease, a claim whose commit was lost: nothing speaks against the provider.
  if (outcome.class === "unavailable" && outcome.asked === false)
    return wait({ row, reason: outcome.reason, waitMs: 0, counts: false });
  if (outcome.class === "poison" && row.poisons + 1 >= poisonTries)
    return {
      kind: "finish",
      status: "failed",
      reason: { ...outcome.reason, code: "internal_error" },
    };
  const poison = outcome.class === "poison";
  return wait({ row, reason: outcome.reason, waitMs: null, counts: true, poison });
}

export type ReceiptStatus = InboundReceipt["status"];

const reached: readonly string[] = ["sent", "delivered", "read"];

/** A part's status after a receipt of it; `null` when it stays. It only moves forwards: what arrived can't fail any more, and what failed stays so. */
export function afterReceipt(status: PartStatus, receipt: ReceiptStatus): PartStatus | null {
  if (status === "failed") return null;
  const [stands, told] = [reached.indexOf(status), reached.indexOf(receipt)];
  if (receipt === "failed") return stands < reached.indexOf("delivered") ? "failed" : null;
  return told > stands ? receipt : null;
}

/** The reason of a message whose time ran out, with what last stood in its way. */
export function expired(last: MessageReason | null): MessageReason {
  const because = last === null ? "it was never its turn" : last.message;
  return {
    code: "expired",
    message: `The message was not sent within its time: ${because}`,
    provider_code: last?.provider_code ?? null,
    provider_message: last?.provider_message ?? null,
  };
}

function afterUncertain(reason: MessageReason, row: QueueRow): Step {
  if (row.on_uncertain === "hold" || row.overdue)
    return { kind: "finish", status: "uncertain", reason, final: row.overdue };
  return wait({ row, reason, waitMs: null, counts: true, uncertain: true });
}

/** An attempt written off as uncertain was taken after all: the message goes on at its next part with its next claim. */
function afterLateSuccess(): Step {
  const reason = {
    code: "part_sent_late",
    message: "A part was confirmed late; the next one follows.",
    provider_code: null,
    provider_message: null,
  };
  return {
    kind: "wait",
    waitMs: 0,
    counts: false,
    poison: false,
    failures: 0,
    uncertain: false,
    reason,
  };
}

function wait(input: {
  row: QueueRow;
  reason: MessageReason;
  waitMs: number | null;
  counts: boolean;
  poison?: boolean;
  uncertain?: boolean;
}): Step {
  return {
    kind: "wait",
    waitMs: input.waitMs,
    counts: input.counts,
    poison: input.poison ?? false,
    failures: input.row.failures + 1,
    uncertain: input.uncertain ?? false,
    reason: input.reason,
  };
}
