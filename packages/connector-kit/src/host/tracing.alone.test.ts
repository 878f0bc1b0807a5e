// The host's spans, by the real SDK: a message's provider call and outcome are of the trace that its id names.
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";

const exporter = new InMemorySpanExporter();
let house: House;

beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  house = await House.open();
});
afterAll(async () => {
  await house?.close();
  trace.disable();
});

const spansOf = (messageId: string) =>
  exporter
    .getFinishedSpans()
    .filter((span) => span.spanContext().traceId === messageId.replaceAll("-", ""));

test("two messages make two traces, each with its call at the provider and then its outcome, without recipients", async () => {
  const connection = await house.connection();
  house.provider.send = (part) =>
    Promise.resolve(
      part.to === "zainab"
        ? { class: "sent", providerMessageId: "1" }
        : {
            class: "rejected",
            reason: { code: "x", message: "No.", provider_code: null, provider_message: null },
          },
    );
  const ids = await house.queue(connection, ["zainab", "karrar"]);
  await house.start();
  for (const [index, outcome] of ["sent", "rejected"].entries()) {
    const messageId = ids[index] ?? "";
    await waitFor(() => spansOf(messageId).length === 2, { what: "the message's spans" });
    const spans = spansOf(messageId);
    expect(spans.map(({ name }) => name)).toEqual(["provider call", "outcome"]);
    const parents = new Set(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId));
    expect([...parents]).toEqual([messageId.replaceAll("-", "").slice(16)]);
    expect(spans.map(({ attributes }) => attributes["thikaa.outcome"])).toEqual([outcome, outcome]);
    expect(spans[0]?.attributes).toMatchObject({ "thikaa.channel": "tg", "thikaa.part": 1 });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toMatch(/zainab|karrar/);
  }
});
