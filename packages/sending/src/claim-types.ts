// What a connection's owner gets when it claims messages, and gives back when it has tried to send them.
import type { ChannelCode, Outcome, OutboundContent, PartPlan } from "@thikaa/schema";

/** Cuts a message into the provider calls it takes. Pure; called inside the claim's transaction, so quick and without I/O. */
export type PlanMessage = (message: {
  readonly to: string;
  readonly content: OutboundContent;
  readonly messageId: string;
}) => readonly PartPlan[];

export interface ClaimRequest {
  readonly storeId: string;
  readonly connectionId: string;
  readonly worker: string;
  readonly epoch: number;
  /** At most so many messages: the free lanes of the connection. */
  readonly limit: number;
  readonly plan: PlanMessage;
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
}

/** What came of an attempt. Outcomes are evidence: they are never refused, whoever brings them. */
export interface FinishedAttempt {
  readonly attempt: BegunAttempt;
  readonly outcome: Outcome;
}
