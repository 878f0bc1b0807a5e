// When PostgreSQL is away: 503 with Retry-After, never a 200 and never a hang; the same Idempotency-Key resolves it afterwards.
import { startFaultProxy, waitFor } from "@thikaa/testkit";
import type { FaultProxy } from "@thikaa/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { hello, openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { call } from "./fixtures/house.ts";
import type { Answer, TestGateway, TestKey } from "./fixtures/house.ts";

let bench: Bench;
let proxy: FaultProxy;
let gateway: TestGateway;

beforeAll(async () => {
  bench = await openBench("gateway_unavailable");
  proxy = await startFaultProxy({ target: bench.house.databaseUrl });
  gateway = await bench.house.gateway({ databaseUrl: proxy.url, answerWithinMs: 1_000 });
});

afterAll(async () => {
  await proxy.set({ kind: "pass" });
  await bench.house.close();
  await proxy.close();
});

beforeEach(async () => {
  await proxy.set({ kind: "pass" });
  // The gateway knows the key and the connections again, so that what fails next is the commit.
  await waitFor(async () => (await send()).status === 200, { what: "the gateway to serve again" });
});

function send(idempotencyKey?: string, key: TestKey = bench.key): Promise<Answer> {
  const headers: Record<string, string> =
    idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
  return call(gateway, {
    store: bench.store.slug,
    action: "send",
    apiKey: key.apiKey,
    body: hello,
    headers,
  });
}

async function outage(): Promise<void> {
  await proxy.set({ kind: "reset" });
  await proxy.set({ kind: "refuse" });
}

function expectUnavailable(answer: Answer): void {
  bench.expectError(answer, "unavailable");
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
}

test("sends during an outage are refused, and their keys resolve to one message each afterwards", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `outage-${index}`);
  await outage();
  for (const answer of await Promise.all(keys.map((key) => send(key)))) expectUnavailable(answer);
  await proxy.set({ kind: "pass" });
  const resolved = await Promise.all(keys.map((key) => send(key)));
  expect(resolved.map(({ status }) => status)).toEqual(keys.map(() => 200));
  const again = await Promise.all(keys.map((key) => send(key)));
  expect(again.map(({ body }) => body)).toEqual(resolved.map(({ body }) => body));
});

test("when the connection is cut in the commit's answer, the key tells what became of it: one message, one debit", async () => {
  // A limit this low is asked about in the same conversation each time.
  const key = await bench.house.key(bench.store, { rate: 99 });
  await waitFor(async () => (await send(undefined, key)).status === 200, {
    what: "its first send",
  });
  const before = await bench.house.balance(bench.store);
  let unsure = 0;
  // Cut ever later in the conversation, so that some are cut before the commit and some after it.
  for (const bytes of [1, 40, 80, 120, 160, 200, 300, 400]) {
    await proxy.set({ kind: "cut", bytes });
    const answer = await send(`cut-${bytes}`, key);
    if (answer.status !== 200) {
      expectUnavailable(answer);
      unsure += 1;
    }
    await proxy.set({ kind: "pass" });
    const resolved = await waitFor(
      async () => {
        const again = await send(`cut-${bytes}`, key);
        return again.status === 200 && again;
      },
      { what: "the key to resolve" },
    );
    expect((await send(`cut-${bytes}`, key)).body).toEqual(resolved.body);
    if (answer.status === 200) expect(resolved.body).toEqual(answer.body);
  }
  expect(unsure).toBeGreaterThan(3);
  const after = await bench.house.balance(bench.store);
  expect(before.balance - after.balance).toBe(8);
  expect(after.ledger).toBe(after.balance);
});

test("reads are refused during an outage too", async () => {
  await outage();
  for (const action of ["status", "events"])
    expectUnavailable(
      await call(gateway, { store: bench.store.slug, action, apiKey: bench.key.apiKey }),
    );
});

test("a database that swallows everything is answered within the gateway's patience", async () => {
  await proxy.set({ kind: "blackHole" });
  const begun = performance.now();
  for (const answer of await Promise.all([send("swallowed"), send()])) expectUnavailable(answer);
  expect(performance.now() - begun).toBeLessThan(4_000);
  await proxy.set({ kind: "pass" });
  const resolved = await waitFor(
    async () => {
      const again = await send("swallowed");
      return again.status === 200 && again;
    },
    { what: "the key to resolve" },
  );
  expect((await send("swallowed")).body).toEqual(resolved.body);
});
