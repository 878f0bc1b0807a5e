// The rate limit: exact over two gateways, told in exact headers, cheap for busy keys, and refused without the database once a key is spent.
import { newId } from "@thikaa/schema";
import { startFaultProxy, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RateLimit } from "./admission/rate-limit.ts";
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

test("a busy key's places are taken in advance: few statements, no place given twice, none beyond the limit", async () => {
  const [limit, wanted] = [2_000, 2_200];
  const key = await house.key(store, { rate: limit });
  await countStatements();
  const answers: Answer[] = [];
  for (let sent = 0; sent < wanted; sent += 40)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 40 }, (_, index) => status(gateways[index % 2], key)),
      )),
    );
  const passed = answers.filter((answer) => answer.status === 200);
  const places = passed.map(({ headers }) => Number(headers.get("x-ratelimit-remaining")));
  expect(new Set(places).size).toBe(passed.length);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  expect(passed.length).toBeLessThanOrEqual(limit);
  // A gateway leaves at most a hundredth of what was left unused.
  expect(passed.length).toBeGreaterThan(limit * 0.97);
  expect(answers.slice(0, 1_000).every((answer) => answer.status === 200)).toBe(true);
  expect(await statements()).toBeLessThan(answers.length / 4);
});

test("places taken in advance end with their window", async () => {
  const rateLimit = new RateLimit(house.database, 1);
  const [key, limit] = [newId(), 100_000];
  const burst = () =>
    Promise.all(Array.from({ length: 20 }, async () => rateLimit.check(key, limit)));
  for (let round = 0; round < 3; round += 1) await burst();
  expect(await usedBy({ instanceId: key })).toBeGreaterThan(60);
  await waitFor(async () => (await rateLimit.check(key, limit)).remaining === limit - 1, {
    what: "a new window to begin",
    deadlineMs: 3_000,
  });
});

/** Counts the statements that take places, from now on. */
async function countStatements(): Promise<void> {
  await house.database.query({
    text: `CREATE TABLE asked (at timestamptz DEFAULT clock_timestamp());
           CREATE FUNCTION note_asked() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO asked DEFAULT VALUES; RETURN NULL; END$$;
           CREATE TRIGGER note_asked AFTER INSERT ON rate_windows FOR EACH STATEMENT EXECUTE FUNCTION note_asked()`,
  });
}

async function statements(): Promise<number> {
  const { rows } = await house.database.query<{ count: number }>({
    text: "SELECT count(*) FROM asked",
  });
  return rows[0]?.count ?? 0;
}

/** Makes a key's window so much older, in seconds. */
async function age(key: TestKey, seconds: number): Promise<void> {
  await house.database.query({
    text: "UPDATE rate_windows SET started_at = started_at - $2 * interval '1 second' WHERE instance_id = $1",
    values: [key.instanceId, seconds],
  });
}

async function usedBy(key: Pick<TestKey, "instanceId">): Promise<number> {
  const { rows } = await house.database.query<{ used: number }>({
    text: "SELECT used FROM rate_windows WHERE instance_id = $1",
    values: [key.instanceId],
  });
  return rows[0]?.used ?? 0;
}
