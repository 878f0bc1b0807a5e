// The timeline of a message in plain words: what happened to it, when, and what comes next.
import { z } from "zod";
import { channels } from "./channels.ts";
import type { ChannelCode } from "./channels.ts";
import type { MessageReason, MessageStatus } from "./message-status.ts";
import type { TimelineEntry } from "./api.ts";

/** One try of a part, as its row tells it. */
export interface AttemptFact {
  readonly part: number;
  readonly number: number;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly outcome: string | null;
  readonly detail: unknown;
}

/** What the provider reported of a part, and when it says that happened. */
export interface ReceiptFact {
  readonly part: number;
  readonly status: "delivered" | "read";
  readonly at: Date;
}

/** What the timeline of an outbound message is made of. */
export interface MessageFacts {
  readonly channel: ChannelCode;
  readonly status: MessageStatus;
  readonly final: boolean;
  readonly reason: MessageReason | null;
  readonly refunded: boolean;
  readonly partCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly sendAt: Date | null;
  readonly dueAt: Date | null;
  readonly attempts: readonly AttemptFact[];
  readonly receipts: readonly ReceiptFact[];
}

/** The timeline, oldest entry first. */
export function messageTimeline(facts: MessageFacts): TimelineEntry[] {
  const provider = channels[facts.channel].name.en;
  const entries: TimelineEntry[] = [
    entry(
      facts.createdAt,
      "accepted",
      facts.sendAt === null
        ? "Accepted."
        : `Accepted, to be sent at ${facts.sendAt.toISOString()}.`,
    ),
  ];
  for (const attempt of facts.attempts) {
    entries.push(
      entry(
        attempt.started_at,
        "sending",
        `Handed to ${provider}${partWords(attempt.part, facts.partCount)} (attempt ${attempt.number}).`,
      ),
    );
    if (attempt.finished_at !== null && attempt.outcome !== null)
      entries.push(
        entry(
          attempt.finished_at,
          attempt.outcome,
          sentence(describeOutcome(attempt.outcome, readAttemptDetail(attempt.detail), provider)),
        ),
      );
  }
  for (const { part, status, at } of facts.receipts) {
    const what = status === "read" ? "Read" : "Delivered";
    entries.push(entry(at, status, `${what}${partWords(part, facts.partCount)}.`));
  }
  if (
    facts.status === "failed" ||
    facts.status === "cancelled" ||
    (facts.status === "uncertain" && facts.final)
  ) {
    const money = facts.refunded ? " The price was given back." : "";
    entries.push(
      entry(facts.updatedAt, facts.status, `${facts.reason?.message ?? facts.status}${money}`),
    );
  }
  if (facts.dueAt !== null && facts.attempts.length > 0 && !facts.final)
    entries.push(entry(facts.dueAt, "queued", "The next try is due."));
  return entries;
}

function entry(at: Date, status: string, text: string): TimelineEntry {
  return { at: at.toISOString(), status, text };
}

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}

function partWords(part: number, count: number): string {
  return count > 1 ? `, part ${part} of ${count}` : "";
}

/** What an attempt keeps beside its outcome; lenient, since rows outlive releases. */
const attemptDetail = z.object({
  message: z.string().nullish(),
  provider_code: z.union([z.string(), z.number()]).nullish(),
  provider_message: z.string().nullish(),
  provider_message_id: z.string().nullish(),
  retry_after_ms: z.number().nullish(),
  http_status: z.number().nullish(),
});
export type AttemptDetail = z.infer<typeof attemptDetail>;

/** An attempt's detail as far as it can be read. */
export function readAttemptDetail(detail: unknown): AttemptDetail {
  const parsed = attemptDetail.safeParse(detail);
  return parsed.success ? parsed.data : {};
}

/** What came of an attempt at a provider, as a clause that begins with the provider's name. */
export function describeOutcome(outcome: string, detail: AttemptDetail, provider: string): string {
  const answered = detail.provider_code == null ? "" : ` answered ${detail.provider_code}`;
  const why = detail.provider_message ?? detail.message ?? "no reason given";
  switch (outcome) {
    case "sent":
      return `${provider} took it${detail.provider_message_id == null ? "" : ` as ${detail.provider_message_id}`}`;
    case "throttled":
      return `${provider}${answered || " is throttling"}: ${why}; waiting ${Math.ceil((detail.retry_after_ms ?? 0) / 1000)} s`;
    case "unavailable":
      return `${provider}${answered || " can't be reached"}: ${why}; surely not sent, it is tried again`;
    case "uncertain":
      return `${provider}${answered || " gave no answer"}: ${why}; it is not known whether it was sent`;
    case "rejected":
      return `${provider}${answered} refused it: ${why}`;
    case "unauthorized":
      return `${provider}${answered} does not accept the connection's credentials: ${why}; the message waits for new ones`;
    case "poison":
      return `a fault of ours: ${why}`;
    default:
      return `${outcome}: ${why}`;
  }
}
