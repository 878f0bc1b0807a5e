// 10,000 generated malformed requests: none gets a 5xx, a stack trace or silence, and the gateway serves as before.
import fc from "fast-check";
import { createLog } from "@thikaa/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { malformedRequests } from "./fixtures/malformed.ts";
import type { RawRequest } from "./fixtures/malformed.ts";
import { exchangeRaw } from "./fixtures/raw-http.ts";
import { call } from "./fixtures/house.ts";
import type { TestGateway } from "./fixtures/house.ts";

const seed = 20_261_122;
const [batches, batchSize] = [40, 250];

let bench: Bench;
let gateway: TestGateway;
let wellFormed: { store: string; apiKey: string };
const logged: string[] = [];
const seen = new Map<number, number>();

beforeAll(async () => {
  bench = await openBench("gateway_malformed");
  // The channel carries everything, so that odd values go all the way to the tables.
  await bench.house.database.query({ text: "DELETE FROM channel_descriptions" });
  await bench.house.database.query({ text: "UPDATE balances SET balance_micro = 1000000000000" });
  const log = createLog(
    { name: "gateway", level: "info" },
    { write: (line) => void logged.push(line) },
  );
  gateway = await bench.house.gateway({ log });
  wellFormed = { store: bench.store.slug, apiKey: bench.key.apiKey };
});

afterAll(() => bench.house.close());

/** Resolves once the gateway, however busy, has worked through what was sent to it before. */
async function workThrough(): Promise<void> {
  for (let time = 0; time < 3; time++)
    expect((await call(gateway, { ...wellFormed, action: "status" })).status).toBe(200);
}

async function judge({ bytes }: RawRequest, endAfter: () => Promise<void>): Promise<void> {
  const answer = await exchangeRaw(gateway.port, [bytes], { endAfter, withinMs: 20_000 });
  const about = `${JSON.stringify(bytes.toString("latin1").slice(0, 800))} was answered ${JSON.stringify(answer.text.slice(0, 800))}`;
  for (const status of answer.statuses) {
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (status >= 500) throw new Error(about);
  }
  if (
    /\bat .{1,80}:\d+:\d+|node_modules|\.ts:\d|Error: |PostgreSQL|syntax error/.test(answer.text) &&
    !answer.text.includes("<!doctype html>")
  )
    throw new Error(about);
}

test(`10,000 malformed requests (seed ${seed})`, { timeout: 120_000 }, async () => {
  const request = malformedRequests(wellFormed);
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: batchSize, maxLength: batchSize }),
      async (requests) => {
        const done = Promise.withResolvers<void>();
        let open = requests.length;
        const sent = () => {
          if (--open === 0) workThrough().then(done.resolve, done.reject);
          return done.promise;
        };
        await Promise.all(requests.map((one) => judge(one, sent)));
      },
    ),
    { seed, numRuns: batches, endOnFailure: true },
  );
  expect(logged.filter((line) => line.includes('"error"'))).toEqual([]);
  // Noise alone proves little: enough of it must have come to each check, and some of it through all of them.
  for (const status of [200, 400, 401, 404, 405, 415])
    expect(seen.get(status) ?? 0, JSON.stringify([...seen])).toBeGreaterThan(25);
  expect((await bench.send()).status).toBe(200);
});

const openHeaders = () =>
  `POST /${bench.store.slug}/api/messaging/?action=send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.key.apiKey}\r\nContent-Type: application/json\r\n`;

test.each([
  ["300 KB", 300_000],
  ["20 MB", 20_000_000],
])(
  "a body of %s is 413, also for a client that sends it to the end before it reads",
  async (_name, size) => {
    const body = Buffer.alloc(size, " ");
    const told = await exchangeRaw(
      gateway.port,
      [`${openHeaders()}Content-Length: ${size}\r\n\r\n`, body],
      { endAfterMs: 1_000, withinMs: 10_000 },
    );
    expect(told.statuses).toEqual([413]);
    expect(told.text).toContain('"payload_too_large"');
    const chunked = await exchangeRaw(
      gateway.port,
      [
        `${openHeaders()}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
        body,
        "\r\n0\r\n\r\n",
      ],
      { endAfterMs: 1_000, withinMs: 10_000 },
    );
    expect(chunked.statuses).toEqual([413]);
  },
);

test("a body that ends before its Content-Length gets no 200 and leaves nothing behind", async () => {
  const before = await bench.house.balance(bench.store);
  const answer = await exchangeRaw(
    gateway.port,
    [`${openHeaders()}Content-Length: 500\r\n\r\n{"channel":"tg","to":"1","message":"x"}`],
    { endAfterMs: 1_000, withinMs: 10_000 },
  );
  expect(answer.statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  expect(await bench.house.balance(bench.store)).toEqual(before);
  expect(logged.filter((line) => line.includes('"error"'))).toEqual([]);
});
