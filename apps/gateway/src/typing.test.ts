// The action typing: what it hands to the connection's owner, what it answers, and what it refuses.
import { Bus } from "@thikaa/bus";
import type { TypingRing } from "@thikaa/schema";
import { natsUrl, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { call, textOnly } from "./fixtures/house.ts";
import type { Answer } from "./fixtures/house.ts";

let bench: Bench;
let bus: Bus;
const rung: TypingRing[] = [];

beforeAll(async () => {
  bench = await openBench("gateway_typing");
  await bench.house.describe("tg", { ...textOnly, features: ["typing"] });
  await bench.house.describe("fb", textOnly);
  bus = await Bus.connect({ url: natsUrl(), namespace: bench.house.namespace, name: "test" });
  bus.listen({ ring: "typing", to: ["*"] }, (ring) => void rung.push(ring));
  await bus.flush();
});
afterAll(async () => {
  await bus.close();
  await bench.house.close();
});

function typing(body: object): Promise<Answer> {
  const { apiKey } = bench.key;
  return call(bench.gateway, { store: bench.store.slug, action: "typing", apiKey, body });
}

test("it is handed to the connection's owner with the cleaned recipient, and costs nothing", async () => {
  const before = await bench.house.balance(bench.store);
  const { status, body } = await typing({ channel: "tg", to: 700000001 });
  expect([status, body]).toMatchObject([200, { ok: true, channel: "tg", to: "700000001" }]);
  const [ring] = await waitFor(() => (rung.length > 0 ? rung : null), { what: "the ring" });
  expect(ring).toEqual({ connection_id: expect.any(String), to: "700000001" });
  expect(await bench.house.balance(bench.store)).toEqual(before);
});

test("a connection that is not connected shows nothing, and the answer says so", async () => {
  const { body } = await typing({ channel: "tg", to: "700000001" });
  expect(body["warnings"]).toMatchObject([
    {
      code: "connection_not_connected",
      message: expect.stringMatching(/^The connection con_\w+ is connecting; nothing is shown\.$/),
    },
  ]);
});

test.each([
  [{ to: "700000001" }, "invalid_request"],
  [{ channel: "tg" }, "invalid_request"],
  [{ channel: "tg", to: "700000001", message: "hello" }, "invalid_request"],
  [{ channel: "wd", to: "12" }, "invalid_recipient"],
  [{ channel: "ig", to: "1234567890123456" }, "channel_not_allowed"],
  [{ channel: "wd", to: "9647701234567" }, "channel_not_connected"],
  [{ channel: "fb", to: "1234567890123456" }, "capability_unsupported"],
] as const)("%j is refused as %s", async (body, code) => {
  bench.expectError(await typing(body), code);
});
