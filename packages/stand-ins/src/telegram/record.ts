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
/** Overlaps kept, for the same reason: two programs that fight for a bot make one every three seconds. All are counted. */
const MOST_OVERLAPS = 1_000;

/** Two polls of one bot at once; times in milliseconds of real time. */
export interface Overlap {
  readonly botId: number;
  readonly polls: readonly [earlier: RecordedCall, later: RecordedCall];
  readonly begunAt: number;
  /** How long the earlier one had been open when the later one came. */
  readonly openForMs: number;
  /** How long both were open; `null` while they are. */
  bothMs: number | null;
}

/** The record of one stand-in. */
export class CallRecord {
  #calls: RecordedCall[] = [];
  readonly #attempts: (WebhookAttempt & { botId: number })[] = [];
  readonly #overlaps: Overlap[] = [];
  readonly #overlapCounts = new Map<number, number>();
  readonly #openPolls = new Map<number, readonly { poll: RecordedCall; begunAt: number }[]>();
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
    return this.#overlapCounts.get(botId) ?? 0;
  }

  /** The latest of those polls, as they came: for how long the earlier one had been open, and for how long both were. */
  overlaps(botId: number): readonly Overlap[] {
    return this.#overlaps.filter((overlap) => overlap.botId === botId);
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
    this.#overlaps.length = 0;
    this.#overlapCounts.clear();
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
      this.#beginPoll(entry, entry.botId);
    }
    this.#calls.push(entry);
    if (this.#calls.length > MOST_CALLS) this.#calls.splice(0, MOST_CALLS / 10);
    this.changed();
    return entry;
  }

  /** Notes how a call ended. */
  finish(entry: RecordedCall, end: { outcome: CallOutcome; status: number | null }): void {
    if (entry.botId !== null && isPoll(entry) && entry.outcome === "pending") {
      this.#endPoll(entry, entry.botId);
    }
    Object.assign(entry, end);
    this.changed();
  }

  #beginPoll(poll: RecordedCall, botId: number): void {
    const begunAt = performance.now();
    const open = this.#openPolls.get(botId) ?? [];
    const [earlier] = open;
    if (earlier !== undefined) {
      const openForMs = begunAt - earlier.begunAt;
      this.#overlaps.push({ botId, polls: [earlier.poll, poll], begunAt, openForMs, bothMs: null });
      if (this.#overlaps.length > MOST_OVERLAPS) this.#overlaps.shift();
      this.#overlapCounts.set(botId, this.overlappingPolls(botId) + 1);
    }
    this.#openPolls.set(botId, [...open, { poll, begunAt }]);
  }

  #endPoll(poll: RecordedCall, botId: number): void {
    const open = this.#openPolls.get(botId) ?? [];
    this.#openPolls.set(
      botId,
      open.filter((other) => other.poll !== poll),
    );
    for (const overlap of this.#overlaps)
      if (overlap.polls.includes(poll)) overlap.bothMs ??= performance.now() - overlap.begunAt;
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
