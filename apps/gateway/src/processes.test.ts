// Gateways as processes of their own, as pods run them: what must hold over all of them together.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort, natsUrl, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gatewayEnvironment } from "./fixtures/config.ts";
import { call, openHouse, textOnly } from "./fixtures/house.ts";
import type { House, TestKey, TestStore } from "./fixtures/house.ts";

interface Gateway {
  readonly url: string;
  readonly process: ChildProcess;
}

let house: House;
const gateways: Gateway[] = [];
let store: TestStore;

beforeAll(async () => {
  house = await openHouse("gateway_processes");
  await Promise.all([startGateway(), startGateway()]);
  store = await house.store({ credits: 1000 });
  await house.connection(store);
  await house.describe("tg", textOnly);
});

afterAll(async () => {
  for (const { process } of gateways) {
    process.kill("SIGTERM");
    if (process.exitCode === null) await once(process, "exit");
  }
  await house?.close();
});

test("200 parallel requests on one default key over two gateway processes: exactly 60 pass", async () => {
  const key = await house.key(store, { rate: 60 });
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      send(gateways[n % 2], key, { to: "700000001", message: `m${n}` }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(140);
  expect(await count("send_queue")).toBe(60);
});

test("50 parallel sends with one Idempotency-Key over two gateway processes are one message", async () => {
  const key = await house.key(store);
  const before = await count("send_queue");
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      send(
        gateways[n % 2],
        key,
        { to: "700000001", message: "once" },
        { "Idempotency-Key": "order-18" },
      ),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ body }) => body["message_id"])).size).toBe(1);
  expect((await count("send_queue")) - before).toBe(1);
});

async function startGateway(): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = spawn("node", ["--conditions=source", join(import.meta.dirname, "main.ts")], {
    env: gatewayEnvironment({
      DATABASE_URL: house.databaseUrl,
      NATS_URL: natsUrl(),
      THIKAA_NAMESPACE: house.namespace,
      THIKAA_MASTER_KEY: house.masterKey,
      HOST: "127.0.0.1",
      PORT: String(port),
      METRICS_PORT: "0",
      LOG_LEVEL: "warn",
    }),
    stdio: ["ignore", "inherit", "inherit"],
  });
  gateways.push({ url, process });
  await waitFor(async () => (await fetch(`${url}/readyz`)).status === 200, {
    what: "a gateway process",
  });
}

function send(
  gateway: Gateway | undefined,
  key: TestKey,
  body: { to: string; message: string },
  headers: Record<string, string> = {},
) {
  return call(
    { url: gateway?.url ?? "" },
    {
      store: store.slug,
      action: "send",
      apiKey: key.apiKey,
      body: { channel: "tg", ...body },
      headers,
    },
  );
}

async function count(table: "send_queue"): Promise<number> {
  const { rows } = await house.database.query<{ rows: number }>({
    text: `SELECT count(*)::int AS rows FROM ${table} WHERE store_id = $1`,
    values: [store.id],
  });
  return rows[0]?.rows ?? 0;
}
