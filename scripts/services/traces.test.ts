// One message's spans across all processes of the house: each is of the trace that the message's own id names.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fromWireId, webhookBody } from "@thikaa/schema";
import { createTestDatabase, natsUrl, waitFor } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openServicesHouse } from "../faults/services-house.ts";
import type { ServicesHouse } from "../faults/services-house.ts";

interface SpanLine {
  readonly app: string;
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const sdk = join(import.meta.dirname, "../../packages/runtime/src/fixtures/record-spans.ts");
let folder: string;
let database: TestDatabase;
let house: ServicesHouse;
let who: { personId: number; botId: number };
let apiKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thikaa-spans-"));
  database = await createTestDatabase({ name: "traces" });
  house = await openServicesHouse({
    bots: 1,
    peoplePerBot: 1,
    counts: { gateways: 1, channels: 1, inboxes: 1, webhooks: 1 },
    wired: false,
    given: { databaseUrl: database.url, natsUrl: natsUrl() },
    extra: {
      NODE_OPTIONS: `--import ${pathToFileURL(sdk).href}`,
      THIKAA_TEST_SPANS: join(folder, "spans.jsonl"),
    },
  });
  const [lane] = house.lanes;
  who = { personId: lane?.personId ?? 0, botId: lane?.bot.botId ?? 0 };
  const key = (await house.admin.request("POST", `/stores/${house.slug}/keys`, {
    name: "traced",
    channels: ["tg"],
    webhook: `${house.sink.url}/traced`,
    events: ["message.received", "message.status"],
  })) as { api_key: string };
  apiKey = key.api_key;
}, 120_000);
afterAll(async () => {
  await house.close();
  await database.close();
  await rm(folder, { recursive: true });
}, 60_000);

/** What ended so far of a message's trace, by the app that did it. */
async function spansOf(messageId: string): Promise<SpanLine[]> {
  const traceId = fromWireId("message", messageId)?.replaceAll("-", "");
  const text = await readFile(join(folder, "spans.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as SpanLine]))
    .filter((span) => span.traceId === traceId);
}

const named = (spans: readonly SpanLine[]) =>
  spans.map(({ app, name }) => `${app}: ${name}`).toSorted();

/** Waits until a message's trace holds exactly these spans, and sees that all name the message as their parent. */
async function untilTrace(messageId: string, wanted: readonly string[]): Promise<SpanLine[]> {
  const spans = await waitFor(
    async () => {
      const found = await spansOf(messageId);
      return found.length >= wanted.length && found;
    },
    { what: `the spans ${wanted.join(", ")}`, deadlineMs: 20_000 },
  );
  expect(named(spans)).toEqual(wanted);
  const parent = fromWireId("message", messageId)?.replaceAll("-", "").slice(16);
  expect(new Set(spans.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([parent]));
  return spans;
}

test("a message out: accepted by the gateway, called and settled by the channel's app, told by webhooks, all in one trace", async () => {
  const [gateway] = house.gateways();
  const answer = await fetch(`${gateway}/${house.slug}/api/messaging/?action=send`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": apiKey },
    body: JSON.stringify({ channel: "tg", to: who.personId, message: "followed all the way" }),
  });
  const { message_id: messageId } = (await answer.json()) as { message_id: string };
  const spans = await untilTrace(messageId, [
    "channel-telegram: outcome",
    "channel-telegram: provider call",
    "gateway: accept",
    "webhooks: webhook attempt",
  ]);
  const attempt = spans.find(({ name }) => name === "webhook attempt");
  expect(attempt?.attributes).toMatchObject({
    "thikaa.event": "message.status",
    "thikaa.outcome": "delivered",
  });
  expect(JSON.stringify(spans)).not.toMatch(new RegExp(`followed|${who.personId}`));
});

test("a message in: written by the inbox and told by webhooks, in one trace", async () => {
  house.standIn.personSays({ ...who, text: "an answer" });
  const told = () =>
    house.sink.received.flatMap((request) => {
      if (request.path !== "/traced") return [];
      const body = webhookBody.parse(request.json());
      return body.event === "message.received" && body.data.message === "an answer" ? [body] : [];
    });
  const [received] = await waitFor(() => told().length > 0 && told(), { what: "the webhook" });
  await untilTrace(received?.data.message_id ?? "", [
    "inbox: inbound",
    "webhooks: webhook attempt",
    // The key that the house was furnished with is told as well.
    "webhooks: webhook attempt",
  ]);
});
