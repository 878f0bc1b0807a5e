// A store's events live, as server-sent events: read from the table by number, woken by the ring, so that none is missed or repeated.
import { listEvents } from "@thikaa/db";
import { z } from "zod";
import { StreamPlaces, streamEvents } from "../http/event-stream.ts";
import { validate } from "../http/validate.ts";
import type { House } from "../house.ts";
import { storeOf } from "./finding.ts";
import type { Call, Route } from "./route.ts";

const pageSize = 100;
const places = new StreamPlaces(200);

const listenQuery = z.strictObject({
  store: z.string({ error: "must name a store" }),
  after: z.coerce.number({ error: "must be an event's number" }).int().min(0).optional(),
});

async function listen(house: House, call: Call): Promise<null> {
  const query = validate(listenQuery, call.query);
  const store = await storeOf(house, query.store);
  const resumed = Number(call.request.headers["last-event-id"] ?? Number.NaN);
  let last = Number.isSafeInteger(resumed) ? resumed : (query.after ?? store.last_sequence);
  const stream = () =>
    streamEvents(house, {
      response: call.response,
      about: `events of ${store.slug} after ${last}`,
      listen: (wake) => house.bus.listen({ ring: "event", to: [store.id] }, wake),
      async work(send) {
        const events = await listEvents(house.database, {
          storeId: store.id,
          after: last,
          limit: pageSize,
        });
        for (const event of events) {
          await send(
            `id: ${event.sequence}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`,
          );
          last = event.sequence;
        }
        return events.length === pageSize;
      },
    });
  await places.take(stream);
  return null;
}

export const listenRoutes: readonly Route[] = [{ method: "GET", path: "/listen", handle: listen }];
