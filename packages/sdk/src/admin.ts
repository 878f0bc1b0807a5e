// The admin API: a plain helper for requests and live streams, as the command line uses it.
import { pairingState } from "@thikaa/schema";
import type { PairingState } from "@thikaa/schema";
import { z } from "zod";
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

const pairingLink = z.object({ url: z.string(), expires_at: z.string() });

/** A link for another screen. */
export type PairingLink = z.infer<typeof pairingLink>;

const pairingPath = (connectionId: string) =>
  `connections/${encodeURIComponent(connectionId)}/pairing`;

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

  /** Asks for a connection's phone to be linked: by a code to scan, or with `phone` by one to type on the phone of that number. One that is connected stays as it is. */
  async pair(connectionId: string, wish: { readonly phone?: string } = {}): Promise<PairingState> {
    return pairingState.parse(await this.request("POST", pairingPath(connectionId), wish));
  }

  /** Takes it back, with its link. `false` when nothing was asked for. */
  async cancelPairing(connectionId: string): Promise<boolean> {
    const answer = await this.request("DELETE", pairingPath(connectionId));
    return z.object({ cancelled: z.boolean() }).parse(answer).cancelled;
  }

  /** How a pairing stands, now and at each change; ends as `stream` does. Nothing is asked for by watching. */
  async *watchPairing(
    connectionId: string,
    options: Pick<StreamOptions, "signal"> = {},
  ): AsyncGenerator<PairingState, void, undefined> {
    for await (const { event, data } of this.stream(pairingPath(connectionId), options))
      if (event === "pairing") yield pairingState.parse(JSON.parse(data));
  }

  /** A link that opens the pairing on another screen without signing in: ten minutes, one phone. An earlier one ends. */
  async createPairingLink(connectionId: string): Promise<PairingLink> {
    const answer = await this.request("POST", `${pairingPath(connectionId)}/link`);
    return pairingLink.parse(answer);
  }

  #urlOf(path: string): URL {
    const url = new URL(path.replace(/^\/+/, ""), this.#base);
    if (url.origin !== this.#base.origin || !url.pathname.startsWith(this.#base.pathname))
      throw new TypeError("path must stay below /api/admin/v1/.");
    return url;
  }
}
