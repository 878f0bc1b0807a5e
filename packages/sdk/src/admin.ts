// The admin API: a plain helper for requests and live streams, as the command line uses it.
import { readServerSentEvents } from "./server-sent-events.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";
import { callJson, checkToken, openStream, parseBaseUrl } from "./transport.ts";
import type { Fetch, TransportConfig } from "./transport.ts";

export interface AdminClientConfig {
  readonly baseUrl: string;
  /** The admin token. */
  readonly token: string;
  readonly fetch?: Fetch;
  /** Milliseconds for one request. Default 60 s: checking credentials asks the provider. */
  readonly timeoutMs?: number;
}

export interface StreamOptions {
  readonly signal?: AbortSignal;
  /** Goes on after this event. */
  readonly lastEventId?: string;
}

/** Paths are below `/api/admin/v1/`, like `stores` or `messages?store=demo`. Nothing is tried again: the caller sees what happened. */
export class AdminClient {
  readonly #transport: TransportConfig;
  readonly #base: URL;

  constructor(config: AdminClientConfig) {
    this.#base = new URL("api/admin/v1/", parseBaseUrl(config.baseUrl));
    this.#transport = {
      fetch: config.fetch ?? globalThis.fetch,
      token: checkToken(config.token, "token"),
      timeoutMs: config.timeoutMs ?? 60_000,
    };
  }

  /** Makes one request and gives the answer's JSON. Throws `ThikaaError`. */
  async request<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer> {
    return (await callJson(this.#transport, { method, url: this.#urlOf(path), body })) as Answer;
  }

  /** A live stream of events; ends when the server ends it or the caller leaves the loop, throws the signal's reason. */
  async *stream(
    path: string,
    options: StreamOptions = {},
  ): AsyncGenerator<ServerSentEvent, void, undefined> {
    const headers = {
      Accept: "text/event-stream",
      ...(options.lastEventId !== undefined && { "Last-Event-ID": options.lastEventId }),
    };
    const response = await openStream(this.#transport, {
      method: "GET",
      url: this.#urlOf(path),
      headers,
      signal: options.signal,
    });
    if (response.body !== null) yield* readServerSentEvents(response.body);
  }

  #urlOf(path: string): URL {
    const url = new URL(path.replace(/^\/+/, ""), this.#base);
    if (url.origin !== this.#base.origin || !url.pathname.startsWith(this.#base.pathname))
      throw new TypeError("path must stay below /api/admin/v1/.");
    return url;
  }
}
