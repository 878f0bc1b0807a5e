// The foundation of an app: room for its pool is checked at its start, metrics are served apart, and nothing is left open by a start that fails.
import { Database } from "@thikaa/db";
import {
  createTestDatabase,
  freePort,
  natsUrl,
  startFaultProxy,
  testNamespace,
  waitFor,
} from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFoundation } from "./foundation.ts";
import type { FoundationConfig } from "./foundation.ts";
import { answerText, serveApp } from "./http.ts";
import { createLog } from "./log.ts";
import { exposition, Metrics } from "./metrics.ts";

let testDatabase: TestDatabase;
let database: Database;
let room: { most: number; reserved: number };

beforeAll(async () => {
  testDatabase = await createTestDatabase({ name: "foundation" });
  database = new Database({ url: testDatabase.url, applicationName: "test" });
  const { rows } = await database.query<{ most: number; reserved: number }>({
    text: `SELECT current_setting('max_connections')::int AS most,
           current_setting('superuser_reserved_connections')::int + current_setting('reserved_connections')::int AS reserved`,
  });
  room = rows[0] ?? { most: 0, reserved: 0 };
});

afterAll(async () => {
  await database?.close();
  await testDatabase?.close();
});

function configOf(poolSize: number, lines: string[] = []): FoundationConfig {
  const write = (line: string) => void lines.push(line);
  return {
    name: "test",
    databaseUrl: testDatabase.url,
    poolSize,
    natsUrl: natsUrl(),
    namespace: testNamespace(),
    log: createLog({ name: "test", level: "info" }, { write }),
    metrics: new Metrics("test"),
  };
}

const said = (line = "{}") => (JSON.parse(line) as { msg?: string }).msg;

const connections = async () =>
  (
    await database.query({
      text: "SELECT 1 FROM pg_stat_activity WHERE application_name = 'thikaa-test'",
    })
  ).rowCount;

test("a pool larger than PostgreSQL ever allows is refused with both numbers and what to change, and nothing stays open", async () => {
  const allowed = room.most - room.reserved;
  await expect(openFoundation(configOf(allowed + 1))).rejects.toThrow(
    `This process's pool wants ${allowed + 1} connections, PostgreSQL allows ${allowed} in all (max_connections is ${room.most}, ${room.reserved} of them reserved). Set DATABASE_POOL_SIZE lower`,
  );
  await waitFor(async () => (await connections()) === 0, { what: "the connections to close" });
});

test("a pool that fits only in part starts with a warning that says how much is left", async () => {
  const lines: string[] = [];
  const foundation = await openFoundation(configOf(room.most - room.reserved, lines));
  await foundation.stop();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /"level":"warn".*pool wants \d+ connections, PostgreSQL has \d+ left \(max_connections is \d+/,
  );
});

test("a pool that fits starts without a word, its worker tells its size, and its use is counted", async () => {
  const lines: string[] = [];
  const config = configOf(2, lines);
  const foundation = await openFoundation(config);
  const { rows } = await database.query({
    text: "SELECT pool FROM workers WHERE id = $1",
    values: [foundation.worker.id],
  });
  expect([rows, lines]).toEqual([[{ pool: 2 }], []]);
  const text = await exposition(config.metrics);
  expect(text).toMatch(/^thikaa_database_pool_size\{app="test"\} 2$/m);
  expect(text).toMatch(/^thikaa_database_pool_connections\{[^}]*state="idle"[^}]*\} [12]$/m);
  expect(text).toMatch(/^thikaa_nats_connected\{app="test"\} 1$/m);
  await foundation.stop();
  expect((await database.query({ text: "SELECT 1 FROM workers" })).rowCount).toBe(0);
});

test(
  "NATS away is one line and a gauge at 0, and one line more when it is back",
  { timeout: 60_000 },
  async () => {
    const lines: string[] = [];
    const proxy = await startFaultProxy({ target: natsUrl() });
    const config = { ...configOf(2, lines), natsUrl: proxy.url };
    const foundation = await openFoundation(config);
    try {
      await proxy.set({ kind: "reset" });
      await waitFor(() => lines.length === 1, { what: "a line about NATS" });
      expect(await exposition(config.metrics)).toMatch(/^thikaa_nats_connected\{app="test"\} 0$/m);
      await proxy.set({ kind: "pass" });
      await waitFor(() => lines.length === 2, { what: "its end to be told", deadlineMs: 40_000 });
      expect(await exposition(config.metrics)).toMatch(/^thikaa_nats_connected\{app="test"\} 1$/m);
      expect(lines[0]).toContain("NATS can't be reached");
      expect(lines[1]).toContain("over: NATS can't be reached");
    } finally {
      await foundation.stop();
      await proxy.close();
    }
  },
);

test("a start waits while NATS and then PostgreSQL are away, says each once, is alive and not ready meanwhile, and goes on by itself", async () => {
  const lines: string[] = [];
  const [postgres, nats] = await Promise.all([
    startFaultProxy({ target: testDatabase.url }),
    startFaultProxy({ target: natsUrl() }),
  ]);
  await nats.set({ kind: "refuse" });
  const http = { host: "127.0.0.1", port: await freePort() };
  const foundation = openFoundation({
    ...configOf(2, lines),
    databaseUrl: postgres.url,
    natsUrl: nats.url,
    http,
  });
  try {
    const status = async (path: string) =>
      (await fetch(`http://127.0.0.1:${http.port}${path}`)).status;
    await waitFor(async () => (await status("/healthz")) === 200, { what: "the process to live" });
    expect(await status("/readyz")).toBe(503);
    expect(lines.map(said)).toEqual(["NATS can't be reached: the start waits until it answers"]);
    await postgres.set({ kind: "refuse" });
    await waitFor(() => lines.length === 2, { what: "the line about PostgreSQL" });
    expect(said(lines[1])).toBe("PostgreSQL can't be reached: the start waits until it answers");
    await Promise.all([postgres.set({ kind: "pass" }), nats.set({ kind: "pass" })]);
    await (await foundation).stop();
    expect(lines.slice(2).map(said)).toEqual(["over: the start goes on"]);
    await expect(fetch(`http://127.0.0.1:${http.port}/healthz`)).rejects.toThrow();
  } finally {
    await Promise.all([postgres.close(), nats.close()]);
  }
});

test("a start that waits is ended at once by its signal, and leaves nothing open", async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const postgres = await startFaultProxy({ target: testDatabase.url });
  await postgres.set({ kind: "blackHole" });
  const begun = performance.now();
  const foundation = openFoundation({
    ...configOf(2, lines),
    databaseUrl: postgres.url,
    signal: stop.signal,
  });
  const reason = new Error("asked to stop");
  stop.abort(reason);
  await expect(foundation).rejects.toBe(reason);
  expect(performance.now() - begun).toBeLessThan(1_000);
  await postgres.set({ kind: "pass" });
  await waitFor(async () => (await connections()) === 0, { what: "the connections to close" });
  await postgres.close();
});

test.each([
  ["a wrong password", { password: "wrong" }, /password.*Check the name and the password/],
  ["a database that is not there", { pathname: "/nowhere" }, /"nowhere" does not exist. Make it/],
])("%s ends the start with a sentence", async (_what, change, sentence) => {
  const databaseUrl = Object.assign(new URL(testDatabase.url), change).href;
  await expect(openFoundation({ ...configOf(2), databaseUrl })).rejects.toThrow(sentence);
});

test("metrics are served on their own port alone; a taken one is named by its setting, and leaves the other free", async () => {
  const metrics = new Metrics("test");
  metrics.counter("things_total", "Things.").inc();
  const app = {
    ready: () => true,
    metrics,
    next: (_request: unknown, response: Parameters<typeof answerText>[0]) =>
      answerText(response, 404, "nothing\n"),
  };
  const server = await serveApp({ host: "127.0.0.1", port: 0, metricsPort: 0 }, app);
  expect(await (await fetch(server.metricsUrl ?? "")).text()).toContain("thikaa_things_total");
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  const [port, taken] = [await freePort(), Number(new URL(server.metricsUrl ?? "").port)];
  await expect(serveApp({ host: "127.0.0.1", port, metricsPort: taken }, app)).rejects.toThrow(
    `Port ${taken} is taken by another program; choose another one with METRICS_PORT.`,
  );
  const second = await serveApp({ host: "127.0.0.1", port }, app);
  expect(second.metricsUrl).toBeNull();
  await second.close();
  await server.close();
  await expect(fetch(server.metricsUrl ?? "")).rejects.toThrow();
});
