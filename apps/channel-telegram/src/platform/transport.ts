// How grammY's calls travel: by undici, over connections that are kept between calls and given up early when they can't be made.
import type { Readable } from "node:stream";
import { errors, Pool } from "undici";
import type { Dispatcher } from "undici";

/** What grammY gives for a call: JSON as text, or a form with files as a stream. */
interface Call {
  readonly headers: Record<string, string>;
  readonly body: string | Readable;
  readonly signal: AbortSignal;
}

/** The error code of a connection that was not there in time: nothing was sent on it. */
export const connectTimeoutCode = "UND_ERR_CONNECT_TIMEOUT";
const connectWithinMs = 5_000;
/** An idle connection is closed before the other side, which may close it in the moment of a call, is likely to. */
const keepIdleMs = 15_000;

const pools = new Map<string, Pool>();

/**
 * What grammY takes for `fetch`: it gives method, headers, body and signal, and reads nothing but JSON from the answer. Of the
 * calls' costs node-fetch, which grammY brings, was the largest. A redirect is not followed: it would take the token elsewhere.
 */
export function transportFor(
  baseUrl: string,
): (url: string, call: Call) => Promise<{ json(): Promise<unknown> }> {
  const { origin } = new URL(baseUrl);
  const pool = poolFor(origin);
  return async (url, { headers, body, signal }) => {
    const path = url.slice(origin.length);
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const answer = new Answer(signal, resolve, reject);
      pool.dispatch({ path, method: "POST", headers, body }, answer);
    });
    return { json: async () => JSON.parse(bytes.toString()) as unknown };
  };
}

/**
 * One answer, read whole: Telegram's are short. `pool.request` would make a stream of each, whose parts outlive it and are
 * collected late.
 */
class Answer implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #resolve: (bytes: Buffer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #abort = () => this.#cut();
  readonly #pieces: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;

  constructor(
    signal: AbortSignal,
    resolve: (bytes: Buffer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.#cut();
  }

  /** Whatever the status: what went wrong stands in the body. */
  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#pieces.push(piece);
  }

  onResponseEnd(): void {
    this.#end();
    this.#resolve(Buffer.concat(this.#pieces));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#signal.removeEventListener("abort", this.#abort);
  }

  /** A call that still waits for a connection is given up at once, and not made when it gets one. */
  #cut(): void {
    // grammY's signals give no reason.
    const reason = (this.#signal.reason as Error | undefined) ?? new errors.RequestAbortedError();
    if (this.#controller === null) this.#reject(reason);
    else this.#controller.abort(reason);
  }
}

/** The connections to an origin, shared by all bots of the process. Each bot holds one for its poll. */
function poolFor(origin: string): Pool {
  const known = pools.get(origin);
  if (known !== undefined) return known;
  const pool = new Pool(origin, {
    connect: { timeout: connectWithinMs },
    keepAliveTimeout: keepIdleMs,
    // Calls have limits of their own, and a poll is silent for long.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  pools.set(origin, pool);
  return pool;
}
