// The floor of a delivered send with the house's own three commits: an echo, sending's accept, claim and outcome, and one call at the provider.
import { Bus } from "@thikaa/bus";
import { Database, migrate } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import { Accepting, Batcher, claim, settle } from "@thikaa/sending";
import type { BegunAttempt, FinishedAttempt } from "@thikaa/sending";
import { Pool } from "undici";
import { z } from "zod";
import { makeFloorStore } from "./commits-store.ts";
import { serve } from "./server.ts";

const [, , , serverUrl = "", outside = "", natsUrl = ""] = process.argv;
const url = await makeDatabase(serverUrl);
const database = new Database({ url, applicationName: "bench-commits" });
const bus = await Bus.connect({ url: natsUrl, namespace: "bench-commits", name: "bench-commits" });
const store = await makeFloorStore(database, 4);
const accepting = new Accepting({ database, bus });
const pool = new Pool(outside, { connections: 64 });

const body = z.object({ to: z.string(), message: z.string() });
const content = { media: null };
let received = 0;

const claiming = new Batcher<Lane, BegunAttempt>(claimAll, { limit: 256, gatherMs: 3 });
const settling = new Batcher<FinishedAttempt, true>(
  async (finished) => {
    await settle(database, finished);
    return finished.map(() => true);
  },
  { limit: 256, gatherMs: 3 },
);

interface Lane {
  readonly connectionId: string;
  readonly to: string;
}

/** The last message of each lane: the next one waits for its end, as it would in the house. */
const lanes = new Map<string, Promise<void>>();

serve(async (_path, text) => {
  const { data } = body.safeParse(JSON.parse(text));
  if (data === undefined) return '{"ok":false}';
  const connectionId = store.connectionIds[(received += 1) % store.connectionIds.length] ?? "";
  const result = await accepting.accept({
    storeId: store.storeId,
    instanceId: store.instanceId,
    connectionId,
    channel: "tg",
    to: data.to,
    content: { ...content, text: data.message },
    clientReference: null,
    sendAt: null,
    ttlSeconds: 86_400,
    priceMicro: 1_000_000,
    warnings: [],
    idempotency: null,
  });
  queue({ connectionId, to: data.to });
  return JSON.stringify("answer" in result ? result.answer : result);
});

function queue(lane: Lane): void {
  const key = `${lane.connectionId} ${lane.to}`;
  const own = (lanes.get(key) ?? Promise.resolve()).then(() => deliver(lane));
  lanes.set(key, own);
  void own.finally(() => {
    if (lanes.get(key) === own) lanes.delete(key);
  });
}

async function deliver(lane: Lane): Promise<void> {
  const attempt = await claiming.add(lane);
  const answer = await pool.request({
    path: "/bot1:x/sendMessage",
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ chat_id: lane.to, ...Object(attempt.part.payload) }),
  });
  const { result } = z
    .object({ result: z.object({ message_id: z.number() }) })
    .parse(await answer.body.json());
  const outcome = { class: "sent", providerMessageId: String(result.message_id) } as const;
  await settling.add({ attempt, outcome });
}

async function claimAll(wanted: readonly Lane[]): Promise<BegunAttempt[]> {
  const claims = [...Map.groupBy(wanted, ({ connectionId }) => connectionId)].map(
    ([connectionId, own]) => ({ connectionId, epoch: 1, addresses: own.map(({ to }) => to) }),
  );
  const begun = await claim(database, {
    worker: store.worker,
    claims,
    plan: ({ content: { text } }) => [{ n: 1, payload: { text } }],
  });
  const byLane = new Map(
    begun.map((attempt) => [`${attempt.connectionId} ${attempt.to}`, attempt]),
  );
  return wanted.map(({ connectionId, to }) => {
    const attempt = byLane.get(`${connectionId} ${to}`);
    if (attempt === undefined) throw new Error("A lane gave nothing to send.");
    return attempt;
  });
}

/** A database of its own on the same server: nothing of the house works in it. */
async function makeDatabase(server: string): Promise<string> {
  const name = `bench_${newId().replaceAll("-", "")}`;
  const maintenance = new Database({ url: server, applicationName: "bench", maxConnections: 1 });
  await maintenance.query({ text: `CREATE DATABASE ${name}` });
  await maintenance.close();
  const own = new URL(server);
  own.pathname = `/${name}`;
  await migrate(own.href);
  return own.href;
}
