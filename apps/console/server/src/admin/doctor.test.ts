// The doctor: content with a house that is well, and for each thing that is wrong a finding with what to do next.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { newId } from "@thikaa/schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { describeChannel, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

const report = z.object({
  healthy: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      detail: z.string(),
      next: z.string().nullable(),
    }),
  ),
});

let running: RunningConsole;
let folder: string;
const [store, connection] = [newId(), newId()];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thikaa-doctor-"));
  running = await startConsole({ mediaStoreUrl: pathToFileURL(join(folder, "media")).href });
  await describeChannel(running.database);
  await query(
    `INSERT INTO workers (id, role, host, pool, expires_at)
     SELECT uuidv7(), role, 'here', 6, now() + interval '1 hour' FROM unnest(ARRAY['gateway', 'inbox', 'webhooks']) AS role`,
  );
  await query(
    "INSERT INTO stores (id, slug, name, plan) VALUES ($1, 'basra', 'B', 'professional')",
    [store],
  );
  await query(
    `INSERT INTO connections (store_id, id, channel, name, environment, state, credentials_sealed, webhook_secret_sealed)
     VALUES ($1, $2, 'tg', 'Shop', 'live', 'connected', '-', '-')`,
    [store, connection],
  );
});

afterAll(async () => {
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function query(text: string, values: readonly unknown[] = []): Promise<void> {
  await running.database.query({ text, values });
}

async function ask() {
  const { healthy, checks } = report.parse((await running.admin("GET", "/doctor")).body);
  return { healthy, checks, wrong: checks.filter((check) => !check.ok) };
}

test("a house that is well has nothing wrong and nothing to do, and says both numbers of its pools", async () => {
  const { healthy, checks, wrong } = await ask();
  expect([healthy, wrong]).toEqual([true, []]);
  expect(checks.map(({ next }) => next)).toEqual(checks.map(() => null));
  // Three of 6, and the console's own 8.
  expect(checks.find(({ name }) => name === "connection pools")?.detail).toMatch(
    /may open 26 connections \(console 8, gateway 6, inbox 6, webhooks 6\), PostgreSQL allows \d+ \(max_connections \d+, \d+ reserved\)/,
  );
});

test.each<[name: string, wrong: string, mend: string, detail: RegExp]>([
  [
    "workers",
    "UPDATE workers SET role = 'was-inbox' WHERE role = 'inbox'",
    "UPDATE workers SET role = 'inbox' WHERE role = 'was-inbox'",
    /no inbox is alive/,
  ],
  [
    "ended workers",
    "INSERT INTO workers (id, role, host, expires_at) VALUES (uuidv7(), 'inbox', 'node-7', now() - interval '1 minute')",
    "DELETE FROM workers WHERE host = 'node-7'",
    /inbox on node-7 was lost at/,
  ],
  [
    "assignments",
    "INSERT INTO assignments (kind, key) VALUES ('webhook-shard', '3')",
    "DELETE FROM assignments WHERE kind = 'webhook-shard'",
    /webhook-shard: 1 owned by nobody/,
  ],
  [
    "send queue",
    `INSERT INTO send_queue (store_id, message_id, connection_id, address, due_at, deadline_at)
     SELECT store_id, uuidv7(), id, '1', now() - interval '5 minutes', now() + interval '1 day' FROM connections`,
    "DELETE FROM send_queue",
    /tg: the oldest has been due for 30\d s/,
  ],
  [
    "events queue",
    "INSERT INTO events_unnumbered (shard, store_id, id, type, data, created_at) SELECT 0, id, uuidv7(), 'message.status', '{}', now() - interval '2 minutes' FROM stores",
    "DELETE FROM events_unnumbered",
    /all: the oldest has been due for 12\d s/,
  ],
  [
    "connection pools",
    "INSERT INTO workers (id, role, host, pool, expires_at) VALUES (uuidv7(), 'gateway', 'big', 5000, now() + interval '1 hour')",
    "DELETE FROM workers WHERE host = 'big'",
    /may open 5026 connections .*gateway 5006/,
  ],
  [
    "connections",
    `UPDATE connections SET state = 'attention', reason = '{"code":"unauthorized","message":"The token is dead."}'`,
    "UPDATE connections SET state = 'connected', reason = NULL",
    /basra\/Shop \(con_\w+\): The token is dead\./,
  ],
  [
    "webhooks",
    `INSERT INTO endpoints (store_id, id, url, secret_sealed, health, health_reason) SELECT id, uuidv7(), 'https://a.example', '-', 'failing', 'The URL answered 500.' FROM stores`,
    "DELETE FROM endpoints",
    /basra \(end_\w+\): failing, The URL answered 500\./,
  ],
])(
  "%s: what is wrong is said with what to do, and forgotten once it is mended",
  async (name, wrong, mend, detail) => {
    await query(wrong);
    const found = await ask();
    expect(found.healthy).toBe(false);
    expect(found.wrong.map((check) => check.name)).toEqual([name]);
    expect(found.wrong[0]?.detail).toMatch(detail);
    expect(found.wrong[0]?.next).toMatch(/\w{4}/);
    await query(mend);
    expect((await ask()).wrong).toEqual([]);
  },
);

test("a media store that can't be opened is said without its secret", async () => {
  const secret = randomBytes(8).toString("hex");
  const file = join(folder, "a-file");
  await writeFile(file, "");
  for (const mediaStoreUrl of [
    pathToFileURL(join(file, "media")).href,
    `s3://key:${secret}@127.0.0.1:1/bucket?region=us-east-1`,
  ]) {
    const other = await startConsole({ mediaStoreUrl });
    const { body } = await other.admin("GET", "/doctor");
    const text = JSON.stringify(body);
    expect(text).toMatch(
      /"name":"media store","ok":false,"detail":"[^"]+","next":"Check MEDIA_STORE_URL/,
    );
    expect(text).not.toContain(secret);
    await other.stop();
  }
});
