// Requests that wait too long for a silent database: answered all the same, with what can be said.
import { ApiError } from "@thikaa/schema";
import type { Exchange } from "./answer.ts";

const undecided =
  "The service can't tell just now whether this was done. Repeat the request shortly, with the same Idempotency-Key.";
/** Looks so often within the time that a request has. */
const looks = 10;

interface Waiting {
  readonly exchange: Exchange;
  readonly giveUp: (error: ApiError) => void;
}

/** Watches requests; one timer serves them all. */
export class Overdue {
  readonly #answerWithinMs: number;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | null = null;

  /** `answerWithinMs`: how long a request that is wholly here may wait, from its beginning. */
  constructor(answerWithinMs: number) {
    this.#answerWithinMs = answerWithinMs;
  }

  /** The work, or `unavailable` when it takes too long. A client that still sends is the server's to cut off. */
  watch(exchange: Exchange, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { exchange, giveUp: reject };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.#look(), this.#answerWithinMs / looks).unref();
      work.finally(() => this.#waiting.delete(waiting)).then(resolve, reject);
    });
  }

  #look(): void {
    const begunBefore = performance.now() - this.#answerWithinMs;
    for (const { exchange, giveUp } of this.#waiting)
      if (exchange.startedAt <= begunBefore && exchange.request.complete)
        giveUp(new ApiError("unavailable", { message: undecided, retryAfter: 2 }));
    if (this.#waiting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
