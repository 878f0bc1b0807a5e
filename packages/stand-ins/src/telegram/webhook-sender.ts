// Delivers the updates of one bot to its webhook: one at a time per lane, several lanes at once, with doubling back-off.
import type { CancelTimer, Clock } from "../clock.ts";
import { postWebhook } from "./webhook-request.ts";
import type { WebhookAnswer, WebhookTarget } from "./webhook-request.ts";
import type { QueuedUpdate } from "./update-queue.ts";

/** One try to deliver one update. `status` is null when no answer came; `error` says why it failed. */
export interface WebhookAttempt {
  at: number;
  updateId: number;
  status: number | null;
  error: string | null;
}

/** What the sender needs from its bot. */
export interface WebhookSenderSettings {
  target: WebhookTarget;
  maxConnections: number;
  clock: Clock;
  /** The update was delivered or is too old. */
  done: (updateId: number) => void;
  attempted: (attempt: WebhookAttempt) => void;
  /** A 2xx answer that asks for a method to be executed. */
  execute: (method: string, parameters: Record<string, unknown>) => void;
  /** 410 for 23 hours: the webhook is to be removed. */
  gone: () => void;
}

interface Lane {
  updates: QueuedUpdate[];
  failures: number;
  delaySeconds: number;
}

const LONGEST_DELAY_SECONDS = 60;
const LONGEST_RETRY_AFTER_SECONDS = 3600;
const GONE_AFTER_MS = 23 * 3_600_000;

/** Sends until closed; give it each update once with `add`. */
export class WebhookSender {
  readonly #settings: WebhookSenderSettings;
  readonly #lanes = new Map<string, Lane>();
  readonly #timers = new Set<CancelTimer>();
  readonly #abort = new AbortController();
  #ready: Lane[] = [];
  #active = 0;
  #firstGoneAt: number | null = null;

  constructor(settings: WebhookSenderSettings) {
    this.#settings = settings;
  }

  add(update: QueuedUpdate): void {
    const lane = this.#lanes.get(update.lane);
    if (lane) {
      lane.updates.push(update);
      return;
    }
    const fresh = { updates: [update], failures: 0, delaySeconds: 1 };
    this.#lanes.set(update.lane, fresh);
    this.#ready.push(fresh);
    this.#sendReady();
  }

  /** Stops sending; a request under way is cut. */
  close(): void {
    this.#abort.abort();
    this.#ready = [];
    for (const cancel of this.#timers) cancel();
    this.#settings.target.agent.destroy();
  }

  #sendReady(): void {
    while (this.#active < this.#settings.maxConnections && !this.#abort.signal.aborted) {
      const lane = this.#ready.shift();
      if (!lane) return;
      this.#active += 1;
      void this.#send(lane).finally(() => {
        this.#active -= 1;
        this.#sendReady();
      });
    }
  }

  async #send(lane: Lane): Promise<void> {
    const update = lane.updates[0];
    if (!update) return;
    const { clock, target } = this.#settings;
    if (update.expiresAt <= clock.now()) return this.#finish(lane, update);
    const answer = await postWebhook({
      target,
      body: update.json,
      clock,
      signal: this.#abort.signal,
    });
    if (this.#abort.signal.aborted) return;
    this.#settings.attempted({
      at: clock.now(),
      updateId: update.id,
      status: answer.status,
      error: answer.error,
    });
    if (answer.error === null) {
      this.#firstGoneAt = null;
      if (answer.command) this.#settings.execute(answer.command.method, answer.command.parameters);
      this.#finish(lane, update);
    } else {
      this.#noticeGone(answer);
      this.#retry(lane, update, answer.retryAfterSeconds);
    }
  }

  #finish(lane: Lane, update: QueuedUpdate): void {
    this.#settings.done(update.id);
    lane.updates.shift();
    lane.failures = 0;
    lane.delaySeconds = 1;
    if (lane.updates.length > 0) this.#ready.push(lane);
    else this.#lanes.delete(update.lane);
  }

  // The first failure is sent again at once; then 2, 4, 8 … seconds up to 60–120.
  #retry(lane: Lane, update: QueuedUpdate, retryAfterSeconds: number): void {
    let seconds = Math.min(Math.max(retryAfterSeconds, 0), LONGEST_RETRY_AFTER_SECONDS);
    if (seconds === 0 && lane.failures > 0) {
      const longest = LONGEST_DELAY_SECONDS * (1 + Math.random());
      lane.delaySeconds = Math.min(longest, lane.delaySeconds * 2);
      seconds = lane.delaySeconds;
    }
    lane.failures += 1;
    if (this.#settings.clock.now() + seconds * 1000 > update.expiresAt)
      return this.#finish(lane, update);
    const cancel = this.#settings.clock.after(seconds * 1000, () => {
      this.#timers.delete(cancel);
      this.#ready.push(lane);
      this.#sendReady();
    });
    this.#timers.add(cancel);
  }

  #noticeGone(answer: WebhookAnswer): void {
    const now = this.#settings.clock.now();
    if (answer.status !== 410) this.#firstGoneAt = null;
    else if (this.#firstGoneAt === null) this.#firstGoneAt = now;
    else if (now > this.#firstGoneAt + GONE_AFTER_MS) this.#settings.gone();
  }
}
