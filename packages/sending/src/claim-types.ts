// What a worker gets when it claims messages, and gives back when it has tried to send them.
import type { ChannelCode, Outcome, OutboundContent, PartPlan } from "@thikaa/schema";

/** Cuts a message into the provider calls it takes. Pure; called inside the claim's transaction, so quick and without I/O. */
export type PlanMessage = (message: {
  readonly to: string;
  readonly content: OutboundContent;
  readonly messageId: string;
}) => readonly PartPlan[];

/** The lanes in which a connection would send now. */
export interface LaneClaim {
  readonly connectionId: string;
  readonly epoch: number;
  /** Recipients, each once; at most as many as may be sent to at once. */
  readonly addresses: readonly string[];
}

export interface ClaimRequest {
  readonly worker: string;
  readonly claims: readonly LaneClaim[];
  readonly plan: PlanMessage;
  /** Channels that have the capability of that name: what is tried again there can't come twice. */
  readonly sameWhenRepeated?: readonly ChannelCode[];
}

/** One attempt at one part, begun: its row is committed, and the provider may now be called. */
export interface BegunAttempt {
  readonly attemptId: string;
  readonly storeId: string;
  readonly connectionId: string;
  readonly messageId: string;
  readonly channel: ChannelCode;
  /** The recipient, cleaned. */
  readonly to: string;
  readonly part: PartPlan;
  /** Parts of the message in all. */
  readonly partCount: number;
  readonly deadlineAt: Date;
  /** Whether its repeat is the same message to whoever has it. Absent means no. */
  readonly sameWhenRepeated?: boolean;
  /** Whether other messages waited behind it in its lane when it was claimed. */
  readonly more: boolean;
}

/** What came of an attempt. Outcomes are evidence: they are never refused, whoever brings them. */
export interface FinishedAttempt {
  readonly attempt: BegunAttempt;
  readonly outcome: Outcome;
}
