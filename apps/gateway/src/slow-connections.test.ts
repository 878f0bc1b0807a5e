// Slow, idle and greedy connections: each is cut off within the server's named patience, and holds nobody else up.
import { afterAll, beforeAll, expect, test } from "vitest";
import { patience } from "@thikaa/runtime";
import { openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { exchangeRaw } from "./fixtures/raw-http.ts";
import type { TestGateway } from "./fixtures/house.ts";

// A tenth of the usual patience, so that the tests are quick.
const short = { headersMs: 1_000, requestMs: 1_500, idleMs: 1_000, checkMs: 100 };
// What a busy machine may add.
const slackMs = 3_000;

let bench: Bench;
let gateway: TestGateway;
let target: string;
let headers: string;

beforeAll(async () => {
  bench = await openBench("gateway_slow");
  gateway = await bench.house.gateway({ patience: short });
  target = `/${bench.store.slug}/api/messaging/?action=`;
  headers = `Host: x\r\nAuthorization: Bearer ${bench.key.apiKey}\r\n`;
});

afterAll(() => bench.house.close());

const open = (limitMs: number) => ({ withinMs: limitMs + short.checkMs + slackMs });

test("the patience without tests is what the house names", () => {
  expect(patience).toEqual({
    headersMs: 10_000,
    requestMs: 30_000,
    idleMs: 15_000,
    checkMs: 2_000,
  });
});

test.concurrent("a connection that says nothing is closed", async () => {
  const answer = await exchangeRaw(gateway.port, [], open(short.headersMs));
  expect(answer.tookMs).toBeGreaterThan(short.headersMs - 100);
});

test.concurrent("headers that never end are told 408", async () => {
  const answer = await exchangeRaw(
    gateway.port,
    [`POST ${target}send HTTP/1.1\r\n${headers}X-Slow: `],
    open(short.headersMs),
  );
  expect(answer.statuses).toEqual([408]);
});

test.concurrent("a body that never ends is told 408", async () => {
  const answer = await exchangeRaw(
    gateway.port,
    [`POST ${target}send HTTP/1.1\r\n${headers}Content-Length: 50\r\n\r\n{`],
    open(short.requestMs),
  );
  expect(answer.statuses).toEqual([408]);
});

test.concurrent("a body that drips is not given more time for its drops", async () => {
  const begun = performance.now();
  const socket = exchangeRaw(
    gateway.port,
    [
      `POST ${target}send HTTP/1.1\r\n${headers}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 20 }, () => "1\r\n \r\n"),
    ],
    open(short.requestMs),
  );
  expect((await socket).statuses).toEqual([408]);
  expect(performance.now() - begun).toBeLessThan(short.requestMs + short.checkMs + slackMs);
});

test.concurrent("an idle connection is closed after its answer", async () => {
  const answer = await exchangeRaw(
    gateway.port,
    [`GET ${target}status HTTP/1.1\r\n${headers}\r\n`],
    open(short.idleMs),
  );
  expect(answer.statuses).toEqual([200]);
});

test.concurrent("200 connections that say nothing hold up no other request", async () => {
  const silent = Array.from({ length: 200 }, () =>
    exchangeRaw(gateway.port, ["POST "], open(short.headersMs)),
  );
  expect(
    (await fetch(`${gateway.url}${target}status`, { headers: { "X-API-Key": bench.key.apiKey } }))
      .status,
  ).toBe(200);
  await Promise.all(silent);
});

test.concurrent("pipelined requests are each answered, in order", async () => {
  const pipelined = [
    `GET ${target}status HTTP/1.1\r\n${headers}\r\n`,
    `GET ${target}fly HTTP/1.1\r\n${headers}\r\n`,
    `GET ${target}events HTTP/1.1\r\n${headers}\r\n`,
    `GET /nothing HTTP/1.1\r\nConnection: close\r\n${headers}\r\n`,
  ];
  const answer = await exchangeRaw(gateway.port, [pipelined.join("")], open(short.idleMs));
  expect(answer.statuses).toEqual([200, 400, 200, 404]);
});

test.concurrent("a malformed request after a good one does not get ahead of its answer", async () => {
  const answer = await exchangeRaw(
    gateway.port,
    [`GET ${target}status HTTP/1.1\r\n${headers}\r\nBREW / HTTP/9\r\n\r\n`],
    open(short.headersMs),
  );
  expect(answer.statuses.filter((status) => status !== 400)).toEqual(
    answer.statuses.includes(200) ? [200] : [],
  );
  expect(answer.statuses[0]).not.toBe(answer.statuses[1]);
  // Whatever comes, one answer's body is never in the middle of another's.
  expect(answer.text).not.toMatch(/\{"ok":true[^}]*HTTP\/1\.1/);
});

test.concurrent.each([
  ["one huge header", `X-Bomb: ${"x".repeat(100_000)}\r\n`],
  ["many headers", Array.from({ length: 20_000 }, (_, index) => `X-${index}: x\r\n`).join("")],
])("%s is told 431", async (_name, bomb) => {
  const answer = await exchangeRaw(
    gateway.port,
    [`POST ${target}send HTTP/1.1\r\n${headers}${bomb}\r\n`],
    { withinMs: slackMs },
  );
  expect(answer.statuses).toEqual([431]);
});

test.concurrent("what is not HTTP is told 400", async () => {
  const answer = await exchangeRaw(
    gateway.port,
    ["\u0016\u0003\u0001 a client that speaks TLS\r\n\r\n"],
    { withinMs: slackMs },
  );
  expect(answer.statuses).toEqual([400]);
});
