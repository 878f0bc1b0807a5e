// Server-sent events: one open answer that is fed from the tables, at each ring and every second.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { RingListener } from "@thikaa/bus";
import { startLoop, Trouble } from "@thikaa/runtime";
import { ApiError } from "@thikaa/schema";
import type { House } from "../house.ts";

const heartbeatMs = 15_000;
/** After so long a browser opens a stream again that broke. */
const reconnectMs = 1_000;

export interface EventStream {
  readonly response: ServerResponse;
  /** Said as a comment when it begins. */
  readonly about: string;
  /** Listens to what wakes it. */
  readonly listen: (wake: () => void) => RingListener;
  /** Sends what is new; `true` when there is more of it. Called at once, at each ring, and every second. */
  readonly work: (send: (event: string) => Promise<void>) => Promise<boolean>;
  /** Ends it from our side. */
  readonly until?: AbortSignal;
}

/** How many streams of a kind may be open in this process; each holds a socket and asks the database once a second. */
export class StreamPlaces {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs a stream in a place of its own; throws `unavailable` when none is left. */
  async take(stream: () => Promise<void>): Promise<void> {
    if (this.#open >= this.#most)
      throw new ApiError("unavailable", {
        message: `${this.#most} listeners are open already; end one and try again.`,
        retryAfter: 5,
      });
    this.#open += 1;
    try {
      await stream();
    } finally {
      this.#open -= 1;
    }
  }
}

/** Resolves when the listener has gone away, the stream's time is over, or the service stops. */
export async function streamEvents(house: House, stream: EventStream): Promise<void> {
  const { response } = stream;
  // Closed after its last event: kept alive, it would hold up the stop.
  response.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",
    Connection: "close",
  });
  response.write(`: ${stream.about}\nretry: ${reconnectMs}\n\n`);
  const loop = startLoop({
    work: async () => (await stream.work((event) => send(response, event))) && !response.closed,
    everyMs: 1_000,
    trouble: new Trouble(house.log, "a live stream could not be fed"),
  });
  const listener = stream.listen(() => loop.ring());
  const heartbeat = setInterval(() => response.write(": still here\n\n"), heartbeatMs);
  const ended = AbortSignal.any([house.stopping, ...(stream.until ? [stream.until] : [])]);
  try {
    if (!response.closed) await once(response, "close", { signal: ended });
  } catch {
    // A listener that does not read its last events would hold up a stop.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  } finally {
    clearInterval(heartbeat);
    listener.close();
    await loop.stop();
  }
}

/** A listener that reads slowly is waited for: its events wait in the table, not in memory. */
async function send(response: ServerResponse, text: string): Promise<void> {
  if (response.closed || response.write(text)) return;
  const gone = new AbortController();
  await Promise.race([
    once(response, "drain", { signal: gone.signal }),
    once(response, "close", { signal: gone.signal }),
  ]);
  gone.abort();
}
