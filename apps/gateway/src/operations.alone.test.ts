// What an operator sees of sends: counted by channel and answer, with bounded labels; and a span in the trace that the message's id names.
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { fromWireId } from "@thikaa/schema";
import { freePort } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, openHouse, textOnly } from "./fixtures/house.ts";
import type { House, TestGateway, TestKey, TestStore } from "./fixtures/house.ts";

const exporter = new InMemorySpanExporter();
let house: House;
let gateway: TestGateway;
let store: TestStore;
let key: TestKey;
let metricsPort: number;

beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  house = await openHouse("gateway_operations");
  metricsPort = await freePort();
  gateway = await house.gateway({ http: { host: "127.0.0.1", port: 0, metricsPort } });
  store = await house.store({ credits: 1 });
  key = await house.key(store);
  await house.connection(store);
  await house.describe("tg", textOnly);
});

afterAll(async () => {
  await house?.close();
  trace.disable();
});

const send = (body: Record<string, unknown>) =>
  call(gateway, { store: store.slug, action: "send", apiKey: key.apiKey, body });

test("sends are counted by channel and answer, whatever words they bring; an accepted one has its span", async () => {
  const accepted = await send({ channel: "tg", to: "700000001", message: "hello" });
  await send({ channel: "tg", to: "700000001", message: "no credit is left" });
  await send({ channel: "a word of theirs", to: "1", message: "hello" });
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const counted = [...text.matchAll(/^thikaa_messaging_sends_total\{(.*)\} (\d+)$/gm)].map(
    ([, labels, count]) => `${labels} ${count}`,
  );
  expect(counted.toSorted()).toEqual([
    'channel="none",answer="invalid_request",app="gateway" 1',
    'channel="tg",answer="accepted",app="gateway" 1',
    'channel="tg",answer="insufficient_balance",app="gateway" 1',
  ]);
  // Both that passed admission went to be accepted, one after the other.
  expect(text).toMatch(/^thikaa_messaging_accept_size_bucket\{le="1",app="gateway"\} 2$/m);
  expect(text).toMatch(/^thikaa_database_pool_size\{app="gateway"\} \d+$/m);
  const messageId = fromWireId("message", String(accepted.body["message_id"]));
  const spans = exporter.getFinishedSpans();
  expect(spans.map((span) => [span.name, span.spanContext().traceId])).toEqual([
    ["accept", messageId?.replaceAll("-", "")],
  ]);
});
