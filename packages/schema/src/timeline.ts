// The timeline of a message in plain words: what happened to it, when, and what comes next.
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
}

/** The timeline, oldest entry first. */
export function messageTimeline(facts: MessageFacts): TimelineEntry[] {
  const provider = channels[facts.channel].name.en;
  const entries: TimelineEntry[] = [entry(facts.createdAt, "accepted", facts.sendAt === null ? "Accepted." : `Accepted, to be sent at ${facts.sendAt.toISOString()}.`)];
  for (const attempt of facts.attempts) {
    entries.push(entry(attempt.started_at, "sending", `Handed to ${provider}${partWords(attempt.part, facts.partCount)} (attempt ${attempt.number}).`));
    if (attempt.finished_at !== null && attempt.outcome !== null) entries.push(entry(attempt.finished_at, attempt.outcome, outcomeWords(provider, attempt)));
  }
  if (facts.status === "failed" || facts.status === "cancelled" || (facts.status === "uncertain" && facts.final)) {
    const money = facts.refunded ? " The price was given back." : "";
    entries.push(entry(facts.updatedAt, facts.status, `${facts.reason?.message ?? facts.status}${money}`));
  }
  if (facts.dueAt !== null && facts.attempts.length > 0 && !facts.final) entries.push(entry(facts.dueAt, "queued", "The next try is due."));
  return entries;
}

function entry(at: Date, status: string, text: string): TimelineEntry {
  return { at: at.toISOString(), status, text };
}

function partWords(part: number, count: number): string {
  return count > 1 ? `, part ${part} of ${count}` : "";
}

function outcomeWords(provider: string, attempt: AttemptFact): string {
  const said = textIn(attempt.detail, "message") ?? "";
  switch (attempt.outcome) {
    case "sent":
      return `${provider} took it${idWords(attempt.detail)}.`;
    case "throttled":
      return `${provider} asks to wait. ${said}`.trim();
    case "unavailable":
      return `Not sent, it will be tried again. ${said}`.trim();
    case "uncertain":
      return `It is not known whether ${provider} took it. ${said}`.trim();
    case "unauthorized":
      return `${provider} no longer accepts the connection's credentials; the message waits. ${said}`.trim();
    case "rejected":
      return `${provider} refused it. ${said}`.trim();
    default:
      return `It could not be sent. ${said}`.trim();
  }
}

function idWords(detail: unknown): string {
  const id = textIn(detail, "provider_message_id");
  return id === null ? "" : ` as message ${id}`;
}

function textIn(detail: unknown, field: string): string | null {
  if (typeof detail !== "object" || detail === null) return null;
  const value: unknown = Object.entries(detail).find(([name]) => name === field)?.[1];
  return typeof value === "string" ? value : null;
}
