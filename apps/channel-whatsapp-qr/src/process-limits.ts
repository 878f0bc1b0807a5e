// What one process takes on: so many sessions, and so many that are being opened at once.
import { ConnectionFault } from "@thikaa/connector-kit";
import { reasonOf } from "./reasons.ts";

export interface Limits {
  /** One burst of keys or of undecryptable messages holds up every session of the process. */
  readonly sessions: number;
  /** Logging in costs a part of a second of computing, and WhatsApp sees it all come from one place. */
  readonly openingAtOnce: number;
}

export const usualLimits: Limits = { sessions: 100, openingAtOnce: 4 };

const fullRetryMs = 30_000;

/** One for each process. */
export class ProcessLimits {
  readonly #limits: Limits;
  #sessions = 0;
  #opening = 0;
  /** Who waits for a turn, in order. */
  readonly #waiting = new Set<() => void>();

  constructor(limits: Limits = usualLimits) {
    this.#limits = limits;
  }

  /** Sessions that are open, or on their way. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Those of them that are on their way. */
  get opening(): number {
    return this.#opening;
  }

  /** Takes a place for a session, to be given back once. Throws `ConnectionFault` when there is none. */
  enter(): () => void {
    if (this.#sessions >= this.#limits.sessions)
      throw new ConnectionFault({
        state: "recovering",
        reason: reasonOf("process_full"),
        retryAfterMs: fullRetryMs,
      });
    this.#sessions += 1;
    let left = false;
    return () => {
      if (!left) this.#sessions -= 1;
      left = true;
    };
  }

  /** Does the work as soon as few enough others are opening; whoever asked first is first. Rejects with the signal's reason when that aborts before. */
  async opened<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#opening < this.#limits.openingAtOnce) this.#opening += 1;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#opening -= 1;
      else next();
    }
  }

  /** Resolves when another one has ended and left its place to this one. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(take);
        signal.removeEventListener("abort", give);
      };
      const take = () => {
        leave();
        resolve();
      };
      const give = () => {
        leave();
        reject(signal.reason as Error);
      };
      this.#waiting.add(take);
      signal.addEventListener("abort", give, { once: true });
    });
  }
}
