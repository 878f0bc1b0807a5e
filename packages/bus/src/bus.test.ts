// The bus: rings come typed and whole, what can't be read is dropped, and NATS away harms nobody.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { natsUrl, startFaultProxy, testNamespace, waitFor } from "@thikaa/testkit";
import { connect } from "@nats-io/transport-node";
import type { RingPayload } from "@thikaa/schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Bus } from "./bus.ts";

let namespace: string;
let bus: Bus;
const opened: { close(): unknown }[] = [];

beforeEach(async () => {
  namespace = testNamespace();
  bus = await open();
});

afterEach(async () => {
  for (const item of opened.splice(0).toReversed()) await item.close();
});

async function open(url = natsUrl(), within = namespace): Promise<Bus> {
  const opening = await Bus.connect({ url, namespace: within, name: "test" });
  opened.push(opening);
  return opening;
}

const command: RingPayload<"out"> = {
  store_id: "s",
  connection_id: "c1",
  message_id: "m",
  channel: "tg",
  to: "700000001",
  content: { text: "مرحبا 👇", media: null },
};

test("a ring comes to those who listen for its address, as it was rung, and to nobody else", async () => {
  const other = await open();
  const stranger = await open(natsUrl(), testNamespace());
  const [heard, all, elsewhere]: unknown[][] = [[], [], []];
  other.listen({ ring: "out", to: ["tg", "c1"] }, (payload) => heard?.push(payload));
  other.listen({ ring: "out", to: ["*", "*"] }, (payload) => all?.push(payload.connection_id));
  other.listen({ ring: "in", to: ["tg", "c1"] }, (payload) => elsewhere?.push(payload));
  stranger.listen({ ring: "out", to: ["*", "*"] }, (payload) => elsewhere?.push(payload));
  await Promise.all([other.flush(), stranger.flush()]);
  bus.ring({ ring: "out", to: ["tg", "c1"] }, command);
  bus.ring({ ring: "out", to: ["wd", "c2"] }, { ...command, channel: "wd", connection_id: "c2" });
  await waitFor(() => all?.length === 2, { what: "both rings" });
  expect(heard).toEqual([command]);
  expect(all).toEqual(["c1", "c2"]);
  await stranger.flush();
  expect(elsewhere).toEqual([]);
});

test("what can't be read is dropped, and the next ring is heard", async () => {
  const heard: unknown[] = [];
  bus.listen({ ring: "key", to: ["*"] }, (payload) => heard.push(payload));
  await bus.flush();
  const { host, username, password } = new URL(natsUrl());
  const login = password === "" ? { token: username } : { user: username, pass: password };
  const raw = await connect({ servers: host, ...(username === "" ? {} : login) });
  opened.push(raw);
  for (const bytes of [
    "",
    "{",
    "null",
    "[]",
    '"x"',
    "{}",
    '{"payload":null}',
    '{"payload":{}}',
    '{"payload":{"instance_id":7}}',
    "\ud83d",
    new Uint8Array([0xff, 0xfe, 0]),
  ])
    raw.publish(`${namespace}.key.i1`, bytes);
  raw.publish(
    `${namespace}.key.i1`,
    JSON.stringify({ payload: { instance_id: "i1", more: "of a later release" } }),
  );
  await waitFor(() => heard.length > 0, { what: "the good ring" });
  expect(heard).toEqual([{ instance_id: "i1" }]);
});

test("a closed listener hears nothing more", async () => {
  const heard: unknown[] = [];
  const listener = bus.listen({ ring: "unnumbered", to: [] }, (payload) => heard.push(payload));
  await bus.flush();
  bus.ring({ ring: "unnumbered", to: [] }, { shards: [3] });
  await waitFor(() => heard.length === 1, { what: "the first ring" });
  listener.close();
  bus.ring({ ring: "unnumbered", to: [] }, { shards: [3] });
  await bus.flush();
  expect(heard).toEqual([{ shards: [3] }]);
});

test("rings while NATS is away, too large, or after the end throw nothing; afterwards they are heard again", async () => {
  const proxy = await startFaultProxy({ target: natsUrl() });
  opened.push(proxy);
  const behind = await open(proxy.url);
  const heard: unknown[] = [];
  behind.listen({ ring: "key", to: ["*"] }, ({ instance_id }) => heard.push(instance_id));
  await behind.flush();
  await proxy.set({ kind: "reset" });
  await proxy.set({ kind: "refuse" });
  await waitFor(() => !behind.connected, { what: "the bus to know that NATS is away" });
  for (let index = 0; index < 100; index++)
    behind.ring({ ring: "key", to: ["i"] }, { instance_id: "lost" });
  await proxy.set({ kind: "pass" });
  await waitFor(() => behind.connected, { what: "the bus to be back" });
  await waitFor(
    () => (bus.ring({ ring: "key", to: ["i"] }, { instance_id: "after" }), heard.includes("after")),
    { what: "the listener to hear again" },
  );
  const huge = "x".repeat(2_000_000);
  bus.ring({ ring: "out", to: ["tg", "c1"] }, { ...command, content: { text: huge, media: null } });
  expect(bus.connected).toBe(true);
  await behind.close();
  await behind.close();
  behind.ring({ ring: "key", to: ["i"] }, { instance_id: "ended" });
  expect(behind.connected).toBe(false);
});

test("what was rung before the end is handed over", async () => {
  const heard: number[] = [];
  const listener = await open();
  listener.listen({ ring: "unnumbered", to: [] }, ({ shards }) => heard.push(...shards));
  await listener.flush();
  for (let shard = 0; shard < 500; shard++)
    bus.ring({ ring: "unnumbered", to: [] }, { shards: [shard] });
  await bus.close();
  await waitFor(() => heard.length === 500, { what: "every ring" });
  expect(heard).toEqual(heard.map((_, index) => index));
});

test.each([
  ["2.10.22", true],
  ["2.9.99", true],
  ["1.0.0", true],
  ["2.10.23", false],
  ["2.11.0-preview.1", false],
  ["3.0.0", false],
])("a server of version %s is refused: %s", async (version, refused) => {
  const url = await startGreeter(version);
  const connecting = open(url).then(
    () => "connected",
    (error: unknown) => String(error),
  );
  const told = `Error: nats-server ${version} is too old; this release needs 2.10.23 or newer.`;
  expect(await connecting).toBe(refused ? told : "connected");
});

test("no server there is an error at the start, not a wait for ever", async () => {
  await expect(
    Bus.connect({ url: "nats://127.0.0.1:1", namespace, name: "test" }),
  ).rejects.toThrow();
});

/** A server that speaks just enough of the NATS protocol to tell its version. */
async function startGreeter(version: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: "x", version, proto: 1, max_payload: 1_048_576, headers: true })}\r\n`,
    );
    socket.on("data", (bytes) => bytes.includes("PING") && socket.write("PONG\r\n"));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  opened.push({ close: () => server.close() });
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
