// A message's timeline in plain words: pure, from the report that the tables give.
import type { MessageReport, ReportedAttempt, ReportedDelivery, ReportedEvent } from "@thikaa/db";
import { channels, messageReason, toCredits } from "@thikaa/schema";
import { z } from "zod";

/** One line of the timeline. */
export interface TimelineLine {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}

/** What attempts keep beside their outcome; lenient, since rows outlive releases. */
const attemptDetail = z.object({
  message: z.string().nullish(),
  provider_code: z.union([z.string(), z.number()]).nullish(),
  provider_message: z.string().nullish(),
  provider_message_id: z.string().nullish(),
  retry_after_ms: z.number().nullish(),
  http_status: z.number().nullish(),
});
type AttemptDetail = z.infer<typeof attemptDetail>;

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
      text: part + describeOutcome(attempt.outcome, detailOf(attempt), provider),
    },
  ];
}

function describeOutcome(outcome: string, detail: AttemptDetail, provider: string): string {
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
  const detail = detailOf(attempt);
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

function detailOf(attempt: ReportedAttempt): AttemptDetail {
  const parsed = attemptDetail.safeParse(attempt.detail);
  return parsed.success ? parsed.data : {};
}

/** Without query and fragment, where people keep secrets. */
function shortUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  return url.origin + url.pathname;
}
