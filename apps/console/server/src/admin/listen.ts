// A store's events live, as server-sent events: read from the table by number, woken by the ring, so that none is missed or repeated.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { listEvents } from "@thikaa/db";
import type { Store } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import { ApiError } from "@thikaa/schema";
import { z } from "zod";
import { validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { storeOf } from "./finding.ts";
import type { Call, Route } from "./route.ts";

const pageSize = 100;
const heartbeatMs = 15_000;
const maxListeners = 200;

const listenQuery = z.strictObject({
  store: z.string({ error: "must name a store" }),
  after: z.coerce.number({ error: "must be an event's number" }).int().min(0).optional(),
});

/** Streams in this process; each holds a socket and asks the table once a second. */
let open = 0;

async function listen(house: House, call: Call): Promise<null> {
  const query = validate(listenQuery, call.query);
  const store = await storeOf(house, query.store);
  if (open >= maxListeners)
    throw new ApiError("unavailable", {
      message: `${maxListeners} listeners are open already; end one and try again.`,
      retryAfter: 5,
    });
  const resumed = Number(call.request.headers["last-event-id"] ?? Number.NaN);
  open += 1;
  try {
    await stream(house, {
      store,
      after: Number.isSafeInteger(resumed) ? resumed : (query.after ?? store.last_sequence),
      response: call.response,
    });
  } finally {
    open -= 1;
  }
  return null;
}

interface Stream {
  readonly store: Store;
  readonly after: number;
  readonly response: ServerResponse;
}

/** Resolves when the listener has gone away or the service stops. */
async function stream(house: House, { store, after, response }: Stream): Promise<void> {
  // Closed after its last event: kept alive, it would hold up the stop.
  response.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",
    Connection: "close",
  });
  response.write(`: events of ${store.slug} after ${after}\n\n`);
  let last = after;
  const work = async () => {
    const events = await listEvents(house.database, {
      storeId: store.id,
      after: last,
      limit: pageSize,
    });
    for (const event of events) {
      await send(
        response,
        `id: ${event.sequence}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`,
      );
      last = event.sequence;
    }
    return events.length === pageSize && !response.closed;
  };
  const loop = startLoop({
    work,
    everyMs: 1_000,
    trouble: new Trouble(house.log, "events could not be read for a listener"),
  });
  const listener = house.bus.listen({ ring: "event", to: [store.id] }, () => loop.ring());
  const heartbeat = setInterval(() => response.write(": still here\n\n"), heartbeatMs);
  try {
    if (!response.closed) await once(response, "close", { signal: house.stopping });
  } catch {
    // The service stops; a listener that does not read its last events would hold it up.
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

export const listenRoutes: readonly Route[] = [{ method: "GET", path: "/listen", handle: listen }];
