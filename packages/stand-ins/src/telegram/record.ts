// The record of every call and every webhook attempt: tests judge delivery by it, not by what clients say.
import type { WebhookAttempt } from "./webhook-sender.ts";

/**
 * How a call ended. `pending`: not yet. `answered`: a whole answer was sent. `hung`: no answer, on purpose.
 * `left`: the client went away first.
 */
export type CallOutcome =
  | "pending"
  | "answered"
  | "hung"
  | "reset_before_accept"
  | "reset_after_accept"
  | "truncated"
  | "left";

/** A file that came with a call. */
export interface RecordedUpload {
  /** The name of its part of the form. */
  name: string;
  fileName: string | null;
  size: number;
  sha256: string;
}

/** One call as it was received. */
export interface RecordedCall {
  /** Counts up from 1. */
  n: number;
  /** Milliseconds since 1970 by the stand-in's clock. */
  at: number;
  /** Null when no living bot has the token; the token itself is never recorded. */
  botId: number | null;
  /** As it was written in the URL. */
  method: string;
  parameters: Record<string, unknown>;
  uploads: RecordedUpload[];
  outcome: CallOutcome;
  /** The HTTP status, or null when no answer was sent. */
  status: number | null;
  /** Whether the method was carried out, even when the client was told otherwise. */
  accepted: boolean;
  /** `description` of an error. */
  error: string | null;
  /** `result` of a call that was carried out. */
  result: unknown;
}

/** Which calls are wanted; what is left out matches everything. */
export interface CallFilter {
  botId?: number | undefined;
  /** In any case. */
  method?: string | undefined;
  chatId?: number | string | undefined;
  accepted?: boolean | undefined;
  /** Only calls later than this number. */
  after?: number | undefined;
}

/** Calls kept; the oldest go first. Far above what a test makes, so that a sandbox can run for months. */
const MOST_CALLS = 200_000;

/** The record of one stand-in. */
export class CallRecord {
  #calls: RecordedCall[] = [];
  readonly #attempts: (WebhookAttempt & { botId: number })[] = [];
  readonly #overlaps = new Map<number, number>();
  readonly #openPolls = new Map<number, number>();
  readonly #watchers = new Set<() => void>();
  #nextNumber = 1;
  #looking = false;

  /** The calls that match, oldest first. */
  calls(filter: CallFilter = {}): RecordedCall[] {
    return this.#calls.filter((call) => matches(call, filter));
  }

  /** Every try to deliver an update to a webhook, oldest first. */
  webhookAttempts(botId?: number): (WebhookAttempt & { botId: number })[] {
    return this.#attempts.filter((attempt) => botId === undefined || attempt.botId === botId);
  }

  /** How often a getUpdates of this bot came while another was still open: more than one poller. */
  overlappingPolls(botId: number): number {
    return this.#overlaps.get(botId) ?? 0;
  }

  /** Resolves when `condition` holds; it is looked at after every change. Rejects after `withinMs` of real time. */
  until(condition: () => boolean, withinMs = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!condition()) return;
      clearTimeout(deadline);
      this.#watchers.delete(look);
      resolve();
    };
    const deadline = setTimeout(() => {
      this.#watchers.delete(look);
      reject(new Error(`The condition did not hold within ${withinMs} ms.`));
    }, withinMs);
    this.#watchers.add(look);
    look();
    return promise;
  }

  /** Forgets all that was recorded; numbers go on. */
  clear(): void {
    this.#calls = [];
    this.#attempts.length = 0;
    this.#overlaps.clear();
  }

  /** Notes that a call was received. */
  begin(
    call: Pick<RecordedCall, "at" | "botId" | "method" | "parameters"> &
      Partial<Pick<RecordedCall, "uploads">>,
  ): RecordedCall {
    const entry: RecordedCall = {
      n: this.#nextNumber,
      uploads: [],
      ...call,
      outcome: "pending",
      status: null,
      accepted: false,
      error: null,
      result: null,
    };
    this.#nextNumber += 1;
    if (entry.botId !== null && isPoll(entry)) {
      const open = this.#openPolls.get(entry.botId) ?? 0;
      if (open > 0) this.#overlaps.set(entry.botId, this.overlappingPolls(entry.botId) + 1);
      this.#openPolls.set(entry.botId, open + 1);
    }
    this.#calls.push(entry);
    if (this.#calls.length > MOST_CALLS) this.#calls.splice(0, MOST_CALLS / 10);
    this.changed();
    return entry;
  }

  /** Notes how a call ended. */
  finish(entry: RecordedCall, end: { outcome: CallOutcome; status: number | null }): void {
    if (entry.botId !== null && isPoll(entry) && entry.outcome === "pending") {
      this.#openPolls.set(entry.botId, (this.#openPolls.get(entry.botId) ?? 1) - 1);
    }
    Object.assign(entry, end);
    this.changed();
  }

  /** Notes one webhook attempt. */
  attempted(botId: number, attempt: WebhookAttempt): void {
    this.#attempts.push({ botId, ...attempt });
    this.changed();
  }

  /** Says that an entry, or something else a test may wait for, has changed. Waiters look once per turn of the loop. */
  changed(): void {
    if (this.#watchers.size === 0 || this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      for (const look of this.#watchers) look();
    });
  }
}

function isPoll(call: RecordedCall): boolean {
  return call.method.toLowerCase() === "getupdates";
}

function matches(call: RecordedCall, filter: CallFilter): boolean {
  return (
    (filter.botId === undefined || call.botId === filter.botId) &&
    (filter.method === undefined || call.method.toLowerCase() === filter.method.toLowerCase()) &&
    (filter.chatId === undefined || String(call.parameters["chat_id"]) === String(filter.chatId)) &&
    (filter.accepted === undefined || call.accepted === filter.accepted) &&
    (filter.after === undefined || call.n > filter.after)
  );
}
