// The app as operators meet it: settings, health, metrics, logs without secrets, and a start that fails cleanly.
import { Writable } from "node:stream";
import { createLog } from "@thikaa/runtime";
import { freePort, startWebhookSink, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { House } from "./fixtures/house.ts";
import { start } from "./start.ts";

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

test("settings come from the environment; all faults are listed together", () => {
  const config = readConfig({
    THIKAA_ENV: "production",
    DATABASE_URL: "postgresql://db/thikaa",
    NATS_URL: "nats://nats",
    THIKAA_MASTER_KEY: "k1:x",
    THIKAA_ALLOW_PRIVATE_NETWORK: "1",
    PORT: "3100",
  });
  expect(config).toMatchObject({
    environment: "production",
    allowPrivateNetwork: true,
    http: { port: 3100, metricsPort: 9464 },
    poolSize: 10,
  });
  expect(() => readConfig({ THIKAA_ALLOW_PRIVATE_NETWORK: "yes" })).toThrow(
    /DATABASE_URL[^]*NATS_URL[^]*THIKAA_MASTER_KEY[^]*THIKAA_ALLOW_PRIVATE_NETWORK: must be 0 or 1/,
  );
});

test("health and metrics are served, and no log line at debug or metric holds a secret, a URL's token or a customer's words", async () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const [port, metricsPort] = [await freePort(), await freePort()];
  const sink = await startWebhookSink();
  house.onClose(() => sink.close());
  const service = await house.start({
    http: { host: "127.0.0.1", port, metricsPort },
    log: createLog({ name: "webhooks", level: "debug" }, destination),
  });
  const storeId = await house.addStore();
  const key = await house.addKey({ storeId, url: `${sink.url}/canary-path?token=canary-token` });
  const broken = await house.addKey({ storeId, url: "http://127.0.0.1:1/canary-path" });
  sink.answerNext({ status: 500, body: "canary-answer" });
  await house.receive(storeId, { text: "canary-words" });
  await house.waitForDeliveries(
    storeId,
    (rows) => rows.length === 2 && rows.every(({ attempts }) => attempts === 1),
  );
  await house.receive(storeId, { text: "canary-words" });
  await waitFor(() => lines.filter((line) => line.includes("webhook attempt")).length >= 4, {
    what: "four attempts in the log",
  });
  const get = async (path: string, at = port) =>
    (await fetch(`http://127.0.0.1:${at}${path}`)).text();
  const metrics = await get("/metrics", metricsPort);
  // The public port has none of it.
  expect(await get("/metrics")).toContain("not_found");
  expect([await get("/healthz"), await get("/readyz")]).toEqual(["ok\n", "ready\n"]);
  expect(metrics).toMatch(/thikaa_webhook_attempts_total\{outcome="delivered",app="webhooks"\} 1/);
  expect(metrics).toMatch(
    /thikaa_webhook_attempts_total\{outcome="unreachable",app="webhooks"\} 2/,
  );
  expect(metrics).toMatch(/thikaa_webhook_deliveries_total\{status="delivered",app="webhooks"\} 1/);
  expect(metrics).toMatch(/thikaa_webhook_lag_seconds_count\{app="webhooks",attempt="first"\} 1/);
  const everything = lines.join("") + metrics;
  for (const secret of [key.secret, broken.secret, "canary", house.config.masterKey])
    expect(everything).not.toContain(secret);
  await service.stop();
  await service.stop();
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});

test("a start that can't succeed says why and leaves nothing behind", async () => {
  const workers = async () =>
    (await house.database.query({ text: "SELECT 1 FROM workers WHERE role = 'webhooks'" }))
      .rowCount;
  await expect(start({ ...house.config, masterKey: "k1:short" })).rejects.toThrow(
    /THIKAA_MASTER_KEY/,
  );
  const nowhere = Object.assign(new URL(house.config.databaseUrl), { pathname: "/nowhere" }).href;
  await expect(start({ ...house.config, databaseUrl: nowhere })).rejects.toThrow(
    /"nowhere" does not exist/,
  );
  await expect(start({ ...house.config, http: { host: "192.0.2.1", port: 1 } })).rejects.toThrow();
  expect(await workers()).toBe(0);
});
