// The connector alone, as the last door: what slipped through every check before it is still refused.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guardedConnector, systemResolve } from "./connector.ts";
import type { AddressRules } from "./address.ts";

let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.on("error", () => {});
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());

const port = (): string => String((server.address() as AddressInfo).port);

/** Connects, and gives the refusal or "connected". */
function connect(rules: AddressRules, hostname: string): Promise<unknown> {
  const connector = guardedConnector({ rules, connectTimeoutMs: 2_000, resolve: systemResolve });
  return new Promise((resolve) => {
    connector({ hostname, protocol: "http:", port: port() }, (error, socket) => {
      socket?.destroy();
      resolve(error ?? "connected");
    });
  });
}

test.each(["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])(
  "%s is not even connected to",
  async (hostname) => {
    expect(
      await connect({ allowLoopback: false, allowPrivateNetwork: false }, hostname),
    ).toMatchObject({ code: "blocked_address", sent: false });
    expect(connections).toBe(0);
  },
);

test("the address that was really reached counts, whatever the checks before it said", async () => {
  // Allowed while the name is looked up, refused once connected: what a look-up that lies to its check would look like.
  let asked = 0;
  const rules = {
    get allowLoopback() {
      return ++asked === 1;
    },
    allowPrivateNetwork: false,
  };
  expect(await connect(rules, "127.0.0.1")).toMatchObject({ code: "blocked_address" });
  expect(asked).toBe(2);
});
