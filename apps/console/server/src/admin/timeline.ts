// A message's timeline in plain words: pure, from the report that the tables give.
import type { MessageReport, ReportedAttempt, ReportedDelivery, ReportedEvent } from "@thikaa/db";
import {
  channels,
  describeOutcome,
  messageReason,
  readAttemptDetail,
  toCredits,
} from "@thikaa/schema";
import { z } from "zod";

/** One line of the timeline. */
export interface TimelineLine {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}

const eventData = z.object({
  status: z.string().nullish(),
  reason: messageReason.nullish(),
  refunded: z.boolean().nullish(),
  send_at: z.string().nullish(),
});

/** Everything that happened to a message, in order. */
export function describeTimeline(report: MessageReport): TimelineLine[] {
  const lines = [
    ...describeBeginning(report),
    ...report.attempts.flatMap((attempt) => describeAttempt(attempt, report)),
    ...report.events.flatMap((event) => describeEvent(event)),
    ...report.deliveries.flatMap((delivery) => describeDelivery(delivery)),
  ];
  // A stable sort: what happened in the same moment stays in the order of causes.
  const sorted = lines.toSorted((left, right) => left.time - right.time);
  return [...sorted, ...describeWaiting(report)].map(({ time, text }) => ({
    at: new Date(time).toISOString(),
    text,
  }));
}

interface Line {
  readonly time: number;
  readonly text: string;
}

function describeBeginning({ message }: MessageReport): Line[] {
  const provider = channels[message.channel].name.en;
  const time = message.created_at.getTime();
  if (message.direction === "in")
    return [{ time, text: `received from ${message.address} by ${provider}` }];
  if (message.origin === "device")
    return [{ time, text: `written to ${message.address} in ${provider} itself, not through us` }];
  const scheduled =
    message.send_at === null ? "" : `, to be sent at ${message.send_at.toISOString()}`;
  return [
    {
      time,
      text: `accepted for ${message.address}, ${toCredits(message.price_micro)} credits taken${scheduled}`,
    },
  ];
}

function describeAttempt(attempt: ReportedAttempt, { message, parts }: MessageReport): Line[] {
  const provider = channels[message.channel].name.en;
  const part = parts.length > 1 ? `part ${attempt.part} of ${parts.length} ` : "";
  const again = attempt.number > 1 ? ` (try ${attempt.number})` : "";
  const begun = {
    time: attempt.started_at.getTime(),
    text: `${part}handed to ${provider}${again}`,
  };
  if (attempt.outcome === null || attempt.finished_at === null)
    return [{ ...begun, text: `${begun.text}; no outcome yet` }];
  return [
    begun,
    {
      time: attempt.finished_at.getTime(),
      text: part + describeOutcome(attempt.outcome, readAttemptDetail(attempt.detail), provider),
    },
  ];
}

/** The first status only repeats that it was accepted. */
function describeEvent(event: ReportedEvent): Line[] {
  const parsed = eventData.safeParse(event.data);
  if (event.type !== "message.status" || !parsed.success) return [];
  const { status, reason, refunded } = parsed.data;
  if (status == null || status === "queued" || status === "scheduled") return [];
  const because = reason == null || status === "cancelled" ? "" : `: ${reason.message}`;
  return [
    {
      time: event.created_at.getTime(),
      text: `${status}${because}${refunded === true ? " (credits given back)" : ""}`,
    },
  ];
}

function describeDelivery(delivery: ReportedDelivery): Line[] {
  const name = `webhook ${delivery.url === null ? "" : shortUrl(delivery.url)}${delivery.instance === null ? "" : ` of key '${delivery.instance}'`} (${delivery.event})`;
  const lines = delivery.attempts.flatMap((attempt) => describeDeliveryAttempt(attempt, name));
  if (delivery.attempts.length === 0 && delivery.finished_at !== null) {
    lines.push({
      time: delivery.finished_at.getTime(),
      text: `${name} ${describeResult(delivery.last_status, delivery.last_error)}`,
    });
  }
  if (delivery.status === "failed" && delivery.finished_at !== null)
    lines.push({ time: delivery.finished_at.getTime(), text: `${name} given up` });
  if (delivery.status === "pending" && delivery.attempts.length === 0)
    lines.push({ time: delivery.created_at.getTime(), text: `${name} is due` });
  return lines;
}

function describeDeliveryAttempt(attempt: ReportedAttempt, name: string): Line[] {
  if (attempt.finished_at === null)
    return [{ time: attempt.started_at.getTime(), text: `${name} called; no answer yet` }];
  const detail = readAttemptDetail(attempt.detail);
  const took = attempt.finished_at.getTime() - attempt.started_at.getTime();
  return [
    {
      time: attempt.finished_at.getTime(),
      text: `${name} ${describeResult(detail.http_status ?? null, detail.message ?? null)} after ${took} ms`,
    },
  ];
}

function describeResult(status: number | null, error: string | null): string {
  if (status !== null) return `answered ${status}`;
  return error === null ? "got no answer" : `got no answer (${error})`;
}

function describeWaiting({ message, queue }: MessageReport): Line[] {
  if (message.final || queue === null) return [];
  const reason = messageReason.safeParse(message.reason);
  const because = reason.success ? `: ${reason.data.message}` : "";
  return [
    {
      time: Math.max(queue.due_at.getTime(), message.updated_at.getTime()),
      text: `waits; next try due then${because}`,
    },
  ];
}

/** Without query and fragment, where people keep secrets. */
function shortUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  return url.origin + url.pathname;
}
