// A pairing as a live stream: told anew whenever something of it changed.
import type { ServerResponse } from "node:http";
import type { PairingState } from "@thikaa/schema";
import { streamEvents } from "../http/event-stream.ts";
import type { House } from "../house.ts";

export interface PairingStream {
  readonly connectionId: string;
  readonly response: ServerResponse;
  /** What may be seen now; `null` ends the stream. */
  readonly read: () => Promise<PairingState | null>;
  /** What is told of it, as JSON. */
  readonly write: (pairing: PairingState) => object;
}

/** Resolves when the listener has gone away, there is nothing to be seen any more, or the service stops. */
export async function streamPairing(
  house: House,
  { connectionId, response, read, write }: PairingStream,
): Promise<void> {
  const over = new AbortController();
  let told = "";
  await streamEvents(house, {
    response,
    about: "a pairing",
    until: over.signal,
    listen: (wake) => house.bus.listen({ ring: "connection", to: [connectionId] }, wake),
    async work(send) {
      const pairing = await read();
      const now = JSON.stringify(pairing);
      if (pairing === null) over.abort();
      else if (now !== told) {
        await send(`event: pairing\ndata: ${JSON.stringify(write(pairing))}\n\n`);
        told = now;
      }
      return false;
    },
  });
}
