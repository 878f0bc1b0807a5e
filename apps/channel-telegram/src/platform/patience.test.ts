// Patience on a real socket: it ends in time, and never before an answer that had come is read.
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Patience } from "./patience.ts";

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(patience: Patience): Promise<number | undefined> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(
    get({ port, host: "127.0.0.1", signal: patience.signal }),
    "response",
  )) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

test("an answer that came while the process slept past the end is read", async () => {
  server = createServer((_request, response) => {
    response.end("there in time");
    // In the turn of the loop in which it is written, nothing else runs: the client finds it only after its sleep.
    process.nextTick(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500));
  });
  const patience = new Patience(1_000);
  expect(await ask(patience)).toBe(200);
  patience.end();
});

test("a call without an answer is cut off at the end", async () => {
  server = createServer(() => {});
  const begun = performance.now();
  await expect(ask(new Patience(800))).rejects.toThrow(/abort/);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(795);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
