// Answers getUpdates for one bot: long polls, confirmation by offset, and the conflicts of two pollers.
import type { CancelTimer, Clock } from "../clock.ts";
import { conflict } from "./api-error.ts";
import type { ApiError } from "./api-error.ts";
import type { CallArguments } from "./call-arguments.ts";
import type { QueuedUpdate, UpdateQueue } from "./update-queue.ts";

const LONGEST_POLL_SECONDS = 50;
/** The real server slows down a client that asks again at once with the same offset. */
const REPEATED_OFFSET_MS = 3000;
const HURRIED_OFFSET_MS = 500;
/** After one conflict, further ones within this time are answered this much later. */
const CONFLICT_PAUSE_MS = 3000;

interface OpenPoll {
  offset: number;
  limit: number;
  resolve: (updates: QueuedUpdate[]) => void;
  reject: (error: Error) => void;
  cancelTimer: CancelTimer;
}

/** The getUpdates side of one bot. */
export class Poller {
  readonly #queue: UpdateQueue;
  readonly #clock: Clock;
  #open: OpenPoll | null = null;
  #previous = { offset: Number.NaN, at: 0 };
  #nextConflictAt = 0;

  constructor(queue: UpdateQueue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** One getUpdates call. Rejects with 409 when another poll ends it. `signal` says that the client has gone. */
  poll(callArguments: CallArguments, signal: AbortSignal): Promise<QueuedUpdate[]> {
    const offset = callArguments.integer("offset", 0);
    let limit = callArguments.integer("limit", 100, { min: 1, max: 100 });
    let timeout = callArguments.integer("timeout", 0, { min: 0, max: LONGEST_POLL_SECONDS });
    this.#queue.allow(callArguments.json("allowed_updates"));

    const now = this.#clock.now();
    const sinceSame =
      offset === this.#previous.offset ? now - this.#previous.at : Number.POSITIVE_INFINITY;
    if (sinceSame < REPEATED_OFFSET_MS && timeout < 3) timeout = 3;
    if (sinceSame < HURRIED_OFFSET_MS) limit = 1;
    this.#previous = { offset, at: now };

    const updates = this.#queue.read(offset, limit);
    if (updates.length > 0 || timeout === 0) return Promise.resolve(updates);
    this.abort(
      "terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    return this.#wait({ offset, limit, timeoutMs: timeout * 1000, signal });
  }

  /** Answers the open poll with what has come. */
  wake(): void {
    const poll = this.#take();
    if (poll) poll.resolve(this.#queue.read(Math.max(poll.offset, 0), poll.limit));
  }

  /** Ends the open poll with a conflict. */
  abort(reason: string): void {
    const poll = this.#take();
    if (poll) void this.refuse(reason).catch(poll.reject);
  }

  /** Ends the open poll with any error: a revoked token, a server that closes. */
  fail(error: ApiError): void {
    this.#take()?.reject(error);
  }

  /** Rejects with a 409; repeated conflicts take three seconds, as on the real server. */
  async refuse(reason: string): Promise<never> {
    const now = this.#clock.now();
    if (now >= this.#nextConflictAt) this.#nextConflictAt = now + CONFLICT_PAUSE_MS;
    else await new Promise<void>((resolve) => this.#clock.after(CONFLICT_PAUSE_MS, resolve));
    throw conflict(reason);
  }

  #wait(wanted: {
    offset: number;
    limit: number;
    timeoutMs: number;
    signal: AbortSignal;
  }): Promise<QueuedUpdate[]> {
    const { promise, resolve, reject } = Promise.withResolvers<QueuedUpdate[]>();
    const poll: OpenPoll = {
      offset: wanted.offset,
      limit: wanted.limit,
      resolve,
      reject,
      cancelTimer: this.#clock.after(wanted.timeoutMs, () => this.#open === poll && this.wake()),
    };
    this.#open = poll;
    wanted.signal.addEventListener("abort", () => {
      if (this.#open === poll) this.#take()?.resolve([]);
    });
    return promise;
  }

  #take(): OpenPoll | null {
    const poll = this.#open;
    this.#open = null;
    poll?.cancelTimer();
    return poll;
  }
}
