// The Messaging API as typed calls, for one key of one store.
import { randomUUID } from "node:crypto";
import type {
  Action,
  CancelAnswer,
  ChangeAnswer,
  EventsAnswer,
  MessageAnswer,
  SendAnswer,
  SendBody,
  StatusAnswer,
  StoreEvent,
  TypingAnswer,
  TypingBody,
} from "@thikaa/schema";
import { actions } from "@thikaa/schema";
import { callJson, checkToken, parseBaseUrl, pause, withRetry } from "./transport.ts";
import type { Fetch, RetryPolicy, TransportConfig } from "./transport.ts";

export interface ThikaaClientConfig {
  /** Where the server is, like `https://example.com`. */
  readonly baseUrl: string;
  /** The store's slug. */
  readonly store: string;
  readonly apiKey: string;
  /** Instead of the global one. */
  readonly fetch?: Fetch;
  /** Milliseconds for one try. Default 30 s. */
  readonly timeoutMs?: number;
  /** Tries of one call in all, for answers that say "later" and for a broken network. Default 4. */
  readonly tries?: number;
  /** No try begins later than this after the first, in milliseconds. Default 60 s. */
  readonly retryWithinMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface SendOptions extends CallOptions {
  /** Equal keys mean the same message: give your own when a repeat may come from another process. A random one otherwise. */
  readonly idempotencyKey?: string;
}

export interface FollowOptions extends CallOptions {
  /** The number of the last event that is known; 0 for all. */
  readonly after: number;
  /** Milliseconds between looks when there was nothing new. Default 2 s. */
  readonly pollMs?: number;
}

/** Every method throws `ThikaaError`, or the signal's reason when the caller gave up. */
export class ThikaaClient {
  readonly #transport: TransportConfig;
  readonly #retry: RetryPolicy;
  readonly #url: URL;

  constructor(config: ThikaaClientConfig) {
    if (!/^[a-z0-9-]{2,40}$/.test(config.store))
      throw new TypeError("store must be the store's name as it stands in the URL.");
    this.#url = new URL(`${config.store}/api/messaging/`, parseBaseUrl(config.baseUrl));
    this.#transport = {
      fetch: config.fetch ?? globalThis.fetch,
      token: checkToken(config.apiKey, "apiKey"),
      timeoutMs: config.timeoutMs ?? 30_000,
    };
    this.#retry = { tries: config.tries ?? 4, withinMs: config.retryWithinMs ?? 60_000 };
  }

  /** Sends a message. Always with an Idempotency-Key, so that trying again never sends twice. */
  async send(message: SendBody, options: SendOptions = {}): Promise<SendAnswer> {
    const headers = { "Idempotency-Key": options.idempotencyKey ?? randomUUID() };
    return (await this.#call("send", {
      headers,
      body: message,
      signal: options.signal,
    })) as SendAnswer;
  }

  /** The key's state: allowed channels, balance, rate limit, connections. */
  async status(options: CallOptions = {}): Promise<StatusAnswer> {
    return (await this.#call("status", { signal: options.signal })) as StatusAnswer;
  }

  /** Where a message of this key stands. */
  async message(id: string, options: CallOptions = {}): Promise<MessageAnswer> {
    return (await this.#call("message", {
      query: { id },
      signal: options.signal,
    })) as MessageAnswer;
  }

  /** One page of the store's events after a number, oldest first. */
  async events(
    page: { after?: number; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<EventsAnswer> {
    const query = Object.fromEntries(
      Object.entries(page).map(([name, value]) => [name, String(value)]),
    );
    return (await this.#call("events", { query, signal: options.signal })) as EventsAnswer;
  }

  /** The store's events after a number, for ever: those there are and those to come. Ends with the signal (by its reason) or a `break`. */
  async *follow(options: FollowOptions): AsyncGenerator<StoreEvent, never, undefined> {
    let { after } = options;
    for (;;) {
      const page = await this.events({ after, limit: 100 }, options);
      for (const event of page.events) {
        yield event;
        after = event.sequence;
      }
      after = Math.max(after, page.next_after);
      if (!page.has_more) await pause(options.pollMs ?? 2_000, options.signal);
    }
  }

  /** Cancels a message that has not been sent yet. Cancelling twice is the same as once. */
  async cancel(id: string, options: CallOptions = {}): Promise<CancelAnswer> {
    return (await this.#call("cancel", { query: { id }, signal: options.signal })) as CancelAnswer;
  }

  /** Reacts to a message of either side with one emoji; `null` takes the reaction back. Doing it twice is doing it once. */
  async react(
    messageId: string,
    emoji: string | null,
    options: SendOptions = {},
  ): Promise<ChangeAnswer> {
    return this.#command("react", { message_id: messageId, emoji }, options);
  }

  /** Marks a message that came in, and those of its conversation before it, as read. Doing it twice is doing it once. */
  async markRead(messageId: string, options: SendOptions = {}): Promise<ChangeAnswer> {
    return this.#command("read", { message_id: messageId }, options);
  }

  /** Shows a person for some seconds that somebody writes. */
  async typing(place: TypingBody, options: CallOptions = {}): Promise<TypingAnswer> {
    return (await this.#call("typing", { body: place, signal: options.signal })) as TypingAnswer;
  }

  /** Always with an Idempotency-Key, so that trying again makes no second command. */
  async #command(action: Action, body: object, options: SendOptions): Promise<ChangeAnswer> {
    const headers = { "Idempotency-Key": options.idempotencyKey ?? randomUUID() };
    return (await this.#call(action, { headers, body, signal: options.signal })) as ChangeAnswer;
  }

  #call(
    action: Action,
    call: {
      query?: Record<string, string>;
      headers?: Record<string, string>;
      body?: unknown;
      signal?: AbortSignal | undefined;
    },
  ): Promise<unknown> {
    const url = new URL(this.#url);
    url.search = new URLSearchParams({ action, ...call.query }).toString();
    const { headers, body, signal } = call;
    return withRetry(this.#retry, signal, () =>
      callJson(this.#transport, { method: actions[action], url, headers, body, signal }),
    );
  }
}
