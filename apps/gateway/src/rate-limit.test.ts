// The rate limit: exact over two gateways, told in exact headers, and refused without the database once a key is spent.
import { startFaultProxy } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, openHouse } from "./fixtures/house.ts";
import type { Answer, House, TestGateway, TestKey, TestStore } from "./fixtures/house.ts";

let house: House;
let gateways: TestGateway[];
let store: TestStore;

beforeAll(async () => {
  house = await openHouse("gateway_rate");
  gateways = [await house.gateway(), await house.gateway()];
  store = await house.store();
});

afterAll(() => house.close());

function status(gateway: TestGateway | undefined, key: TestKey): Promise<Answer> {
  if (gateway === undefined) throw new Error("There is no such gateway.");
  return call(gateway, { store: store.slug, action: "status", apiKey: key.apiKey });
}

test("of 200 parallel requests over two gateways exactly 60 pass, and every header is right", async () => {
  const key = await house.key(store, { rate: 60 });
  const begun = Date.now();
  const places = Array.from({ length: 200 }, (_, index) => index % 2);
  const answers = await Promise.all(places.map((place) => status(gateways[place], key)));
  const took = Math.ceil((Date.now() - begun) / 1000);
  const passed = answers.filter((answer) => answer.status === 200);
  const refused = answers.filter((answer) => answer.status === 429);
  expect([passed.length, refused.length]).toEqual([60, 140]);
  // Each place in the window is given once.
  const remaining = passed.map(({ headers }) => Number(headers.get("x-ratelimit-remaining")));
  expect(remaining.toSorted((left, right) => left - right)).toEqual(
    Array.from({ length: 60 }, (_, index) => index),
  );
  for (const { headers, body } of answers) {
    const left = headers.get("x-ratelimit-remaining");
    const [, seconds = ""] = /^"per-key";r=\d+;t=(\d+)$/.exec(headers.get("ratelimit") ?? "") ?? [];
    expect(headers.get("ratelimit")).toBe(`"per-key";r=${left};t=${seconds}`);
    expect(headers.get("ratelimit-policy")).toBe('"per-key";q=60;w=60');
    expect(headers.get("x-ratelimit-limit")).toBe("60");
    expect(Number(seconds)).toBeGreaterThanOrEqual(60 - took);
    expect(Number(seconds)).toBeLessThanOrEqual(60);
    const reset = Number(headers.get("x-ratelimit-reset"));
    expect(reset).toBeGreaterThanOrEqual(Math.floor(begun / 1000) + 60);
    expect(reset).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 60);
    if (body["ok"] === false) expect([left, headers.get("retry-after")]).toEqual(["0", seconds]);
    else expect(body["rate_limit"]).toEqual({ limit: 60, remaining: Number(left), reset });
  }
});

test("a window begins with a key's first request and ends 60 s later, whatever came in between", async () => {
  const key = await house.key(store, { rate: 2 });
  expect((await status(gateways[0], key)).headers.get("x-ratelimit-remaining")).toBe("1");
  await age(key, 40);
  expect((await status(gateways[1], key)).headers.get("ratelimit")).toMatch(
    /^"per-key";r=0;t=(19|20)$/,
  );
  const late = await status(gateways[1], key);
  expect(late.status).toBe(429);
  expect(Number(late.headers.get("retry-after"))).toBeLessThanOrEqual(20);
  await age(key, 20);
  // The other gateway has not remembered the key as spent: it asks, and the window is a new one.
  const anew = await status(gateways[0], key);
  expect(anew.status).toBe(200);
  expect(anew.headers.get("ratelimit")).toMatch(/^"per-key";r=1;t=(59|60)$/);
});

test("one key's window is not another's", async () => {
  const [busy, idle] = [await house.key(store, { rate: 1 }), await house.key(store, { rate: 1 })];
  await status(gateways[0], busy);
  expect((await status(gateways[0], busy)).status).toBe(429);
  expect((await status(gateways[0], idle)).status).toBe(200);
});

test("a spent key is refused without the database", async () => {
  const proxy = await startFaultProxy({ target: house.databaseUrl });
  try {
    const gateway = await house.gateway({ databaseUrl: proxy.url });
    const key = await house.key(store, { rate: 1 });
    expect((await status(gateway, key)).status).toBe(200);
    const used = await usedBy(key);
    await proxy.set({ kind: "reset" });
    await proxy.set({ kind: "refuse" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => status(gateway, key)));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 429));
    expect(await usedBy(key)).toBe(used);
  } finally {
    await proxy.close();
  }
});

/** Makes a key's window so much older, in seconds. */
async function age(key: TestKey, seconds: number): Promise<void> {
  await house.database.query({
    text: "UPDATE rate_windows SET started_at = started_at - $2 * interval '1 second' WHERE instance_id = $1",
    values: [key.instanceId, seconds],
  });
}

async function usedBy(key: TestKey): Promise<number> {
  const { rows } = await house.database.query<{ used: number }>({
    text: "SELECT used FROM rate_windows WHERE instance_id = $1",
    values: [key.instanceId],
  });
  return rows[0]?.used ?? 0;
}
