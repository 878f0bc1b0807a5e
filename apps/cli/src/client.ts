// Talks to the house through the SDK's admin client; what goes wrong becomes words for the person at the terminal.
import { setTimeout as pause } from "node:timers/promises";
import { storeEvent } from "@thikaa/schema";
import type { PairingState, StoreEvent } from "@thikaa/schema";
import { AdminClient, ThikaaError } from "@thikaa/sdk";
import type { PairingLink } from "@thikaa/sdk";
import { z } from "zod";
import type { CliConfig } from "./config.ts";
import { Problem } from "./problem.ts";

/** A JSON object as the admin API answers it. */
export type Answer = Readonly<Record<string, unknown>>;

/** A stream that is watched until the signal aborts. */
export interface Watched {
  readonly signal: AbortSignal;
  /** Told each time the connection breaks, with what is wrong. */
  readonly onBreak?: (why: string) => void;
}

export interface EventStream extends Watched {
  readonly store: string;
  /** Only events after this number; from now on when absent. */
  readonly after?: number;
}

const answerObject = z.record(z.string(), z.unknown());
const reconnectMs = 1_000;
const probeTimeoutMs = 10_000;

export class HouseClient {
  readonly #config: CliConfig;
  readonly #admin: AdminClient;

  constructor(config: CliConfig) {
    this.#config = config;
    this.#admin = new AdminClient({ baseUrl: config.url, token: config.adminToken });
  }

  get url(): string {
    return this.#config.url;
  }

  /** One request below `/api/admin/v1`. Throws `Problem` with the house's own words when it is refused, or with what to do when nothing answers. */
  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#words(
      this.#admin.request(method, path, body).then((answer) => answerObject.parse(answer)),
    );
  }

  /** The status of a path outside the admin API, with its text; asked without the token. */
  async probe(path: string): Promise<{ status: number; text: string }> {
    try {
      const answer = await fetch(this.#config.url + path, {
        signal: AbortSignal.timeout(probeTimeoutMs),
      });
      return { status: answer.status, text: (await answer.text()).trim() };
    } catch {
      throw nothingAnswers(this.#config);
    }
  }

  /** A store's events in order, none missed: after a break it goes on behind the last one. Ends when the signal aborts. */
  async *events({ store, after, signal, onBreak }: EventStream): AsyncGenerator<StoreEvent> {
    // Asked first, so that a break before the first event loses nothing either.
    let last = after ?? (await this.#lastSequence(store));
    const open = () =>
      this.#admin.stream(
        `listen?${new URLSearchParams({ store, after: String(last) }).toString()}`,
        { signal },
      );
    for await (const { data } of this.#unbroken(open, { signal, onBreak })) {
      const event = storeEvent.safeParse(parseOrNull(data));
      // A newer house may tell of events that this release does not know.
      if (!event.success) continue;
      last = event.data.sequence;
      yield event.data;
    }
  }

  /** Asks for a connection's phone to be linked; gives how it stands. */
  pair(connectionId: string, wish: { readonly phone?: string }): Promise<PairingState> {
    return this.#words(this.#admin.pair(connectionId, wish));
  }

  /** How a pairing stands, now and at each change. Ends when the signal aborts. */
  watchPairing(connectionId: string, watched: Watched): AsyncGenerator<PairingState> {
    return this.#unbroken(() => this.#admin.watchPairing(connectionId, watched), watched);
  }

  cancelPairing(connectionId: string): Promise<boolean> {
    return this.#words(this.#admin.cancelPairing(connectionId));
  }

  createPairingLink(connectionId: string): Promise<PairingLink> {
    return this.#words(this.#admin.createPairingLink(connectionId));
  }

  async #words<Answered>(asked: Promise<Answered>): Promise<Answered> {
    try {
      return await asked;
    } catch (error) {
      throw describeFailure(error, this.#config);
    }
  }

  /** A stream that is opened again when it breaks. */
  async *#unbroken<Item>(
    open: () => AsyncIterable<Item>,
    { signal, onBreak }: Watched,
  ): AsyncGenerator<Item> {
    let opened = false;
    while (!signal.aborted) {
      try {
        for await (const item of open()) {
          opened = true;
          yield item;
        }
        opened = true;
      } catch (error) {
        if (signal.aborted) return;
        // A refusal is the answer; a stream that broke, or a house that is away for a moment, comes back.
        if (error instanceof ThikaaError && !(opened && error.retryable))
          throw describeFailure(error, this.#config);
        opened = true;
      }
      if (signal.aborted) return;
      onBreak?.("The connection to the house broke; trying again.");
      await pause(reconnectMs, undefined, { signal }).catch(() => {});
    }
  }

  async #lastSequence(store: string): Promise<number> {
    const answer = await this.request("GET", `/stores/${encodeURIComponent(store)}`);
    return z.object({ store: z.object({ last_sequence: z.number() }) }).parse(answer).store
      .last_sequence;
  }
}

function describeFailure(error: unknown, config: CliConfig): Problem {
  if (!(error instanceof ThikaaError))
    return new Problem(`${config.url} answered, but not as the house does. Is THIKAA_URL right?`);
  if (error.code === "network_error") return nothingAnswers(config);
  if (error.code === "unauthorized")
    return new Problem(
      `The house at ${config.url} does not accept the admin token from ${config.tokenFrom}. Set THIKAA_ADMIN_TOKEN to the right one.`,
    );
  if (error.requestId === undefined)
    return new Problem(
      `${config.url} answered ${error.status ?? "something"}, but not as the house does. Is THIKAA_URL right?`,
    );
  return new Problem(
    (error.status ?? 0) >= 500 ? `${error.message} (request ${error.requestId})` : error.message,
  );
}

function nothingAnswers(config: CliConfig): Problem {
  return new Problem(
    `Nothing answers at ${config.url}. Is the house running? Start it with 'npm start', or say where it is with THIKAA_URL.`,
  );
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
