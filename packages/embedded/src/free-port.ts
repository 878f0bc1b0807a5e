// Finding a TCP port on the loopback address that nobody listens on.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the range from which systems take ports for connections that go out: one of those would otherwise take a port
 * between our look and the start of whoever is to listen there.
 */
const [first, last] = [20_000, 32_000];
const mostTries = 50;
/** Ports given lately: whoever asked for one may not listen on it yet. */
const given = new Set<number>();
const mostGiven = (last - first) / 4;

/**
 * A port of 127.0.0.1 that was free a moment ago; another process may still take it first, but this one gives none twice in
 * a row of thousands.
 */
export async function freePort(): Promise<number> {
  if (given.size >= mostGiven) given.clear();
  for (let tries = 0; tries < mostTries; tries++) {
    const port = randomInt(first, last);
    if (given.has(port)) continue;
    given.add(port);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port was found between ${first} and ${last}.`);
}

/** Whether `port` of 127.0.0.1 can be listened on now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server.listen(port, "127.0.0.1"), "listening");
  try {
    await listening;
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
