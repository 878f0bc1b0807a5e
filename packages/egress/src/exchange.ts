// One request and its answer on undici's wire: what was sent, how much of the answer is taken, when it is given up.
import { Client } from "undici";
import type { Dispatcher } from "undici";
import { EgressError, toEgressError } from "./errors.ts";

export interface EgressResponse {
  /** As it came; a redirect is an answer like any other and is never followed. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Why the body is not whole: cut at the size limit, at the deadline, or the connection broke. `null` when it is whole. */
  readonly truncated: "size" | "time" | "reset" | null;
  readonly durationMs: number;
}

export interface ExchangeConfig {
  readonly maxResponseBytes: number;
  readonly connectTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Counts what its present connection has carried, so that a broken reused connection is told from a broken new one. */
export class CountingClient extends Client {
  #begun = 0;

  constructor(...parameters: ConstructorParameters<typeof Client>) {
    super(...parameters);
    this.on("connect", () => (this.#begun = 0));
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (handler instanceof Exchange) handler.countBy(() => this.#begun++);
    return super.dispatch(options, handler);
  }
}

/** Takes one answer. `done` settles exactly once; after the answer's head has come it only resolves. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<EgressResponse>;
  /** Whether bytes of the request may have been written. */
  sent = false;
  /** Whether the connection had carried a request before. */
  reused = false;
  readonly #config: ExchangeConfig;
  readonly #begunAt = performance.now();
  readonly #chunks: Buffer[] = [];
  readonly #settle: PromiseWithResolvers<EgressResponse>;
  readonly #timers: NodeJS.Timeout[];
  #count: () => number = () => 0;
  #controller: Dispatcher.DispatchController | null = null;
  #givenUp: EgressError | null = null;
  #head: { status: number; headers: EgressResponse["headers"] } | null = null;
  #size = 0;
  #settled = false;

  constructor(config: ExchangeConfig) {
    this.#config = config;
    this.#settle = Promise.withResolvers<EgressResponse>();
    this.done = this.#settle.promise;
    const { connectTimeoutMs, totalTimeoutMs, signal } = config;
    this.#timers = [
      setTimeout(
        () => this.sent || this.#giveUp("timeout", `no connection within ${connectTimeoutMs} ms`),
        Math.min(connectTimeoutMs, totalTimeoutMs),
      ),
      setTimeout(
        () =>
          this.#giveUp("timeout", `no answer in time: it took longer than ${totalTimeoutMs} ms`),
        totalTimeoutMs,
      ),
    ];
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** How many requests the connection has carried before this one, asked as it begins. */
  countBy(count: () => number): void {
    this.#count = count;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#givenUp !== null) return controller.abort(this.#givenUp);
    this.#controller = controller;
    this.reused = this.#count() > 0;
    this.sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: EgressResponse["headers"],
  ): void {
    // 1xx only announces the answer.
    if (status >= 200) this.#head = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#config.maxResponseBytes - this.#size;
    this.#chunks.push(chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk);
    this.#size += Math.min(chunk.length, room);
    if (chunk.length <= room) return;
    this.#finish("size");
    controller.abort(new Error("The answer is longer than wanted."));
  }

  onResponseEnd(): void {
    this.#finish(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#givenUp ?? toEgressError(error, this.sent));
  }

  /** For what the dispatcher throws instead of reporting it. */
  refuse(error: unknown): void {
    this.#fail(toEgressError(error, this.sent));
  }

  readonly #onAbort = (): void => this.#giveUp("aborted", "given up by this server");

  #giveUp(code: "timeout" | "aborted", message: string): void {
    if (this.#settled) return;
    const error = new EgressError({
      code,
      stage: this.sent ? "request" : "connect",
      sent: this.sent,
      message,
    });
    this.#givenUp = error;
    if (code === "timeout" && this.#head !== null) this.#finish("time");
    else this.#fail(error);
    this.#controller?.abort(error);
  }

  #fail(error: EgressError): void {
    if (this.#head !== null && error.code !== "aborted") return this.#finish("reset");
    this.#end(() => this.#settle.reject(error));
  }

  #finish(truncated: EgressResponse["truncated"]): void {
    const head = this.#head;
    if (head === null)
      return this.#fail(
        new EgressError({
          code: "bad_response",
          stage: "request",
          sent: true,
          message: "the answer has no status",
        }),
      );
    const durationMs = Math.round(performance.now() - this.#begunAt);
    this.#end(() =>
      this.#settle.resolve({ ...head, body: Buffer.concat(this.#chunks), truncated, durationMs }),
    );
  }

  #end(settle: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#config.signal?.removeEventListener("abort", this.#onAbort);
    settle();
  }
}
