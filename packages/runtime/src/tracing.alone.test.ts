// Traces with the real SDK: every span of a message is of its own trace, without a column or a header that carries it.
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { newId, toWireId } from "@thikaa/schema";
import { afterAll, expect, test, vi } from "vitest";

const exporter = new InMemorySpanExporter();
afterAll(() => trace.disable());

test("without an SDK nothing is recorded, and the work is done", async () => {
  const { inSpan, isTracing } = await import("./tracing.ts");
  expect(isTracing()).toBe(false);
  expect(await inSpan("off", { messageId: newId() }, () => Promise.resolve(7))).toBe(7);
  const failing = inSpan("off", {}, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
});

test("with an SDK loaded before the app, all spans of a message are of the trace that its id names, in either form of the id", async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  vi.resetModules();
  const { inSpan, recordSpan } = await import("./tracing.ts");
  const [messageId, another] = [newId(), newId()];
  recordSpan("accept", { messageId: toWireId("message", messageId), startedAt: Date.now() - 5 });
  await inSpan("provider call", { messageId, kind: "client" }, async (span) => {
    span.setAttribute("thikaa.outcome", "sent");
  });
  const failing = inSpan("webhook attempt", { messageId }, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  await inSpan("claim", { about: () => [messageId, another] }, () => Promise.resolve());
  const spans = exporter.getFinishedSpans();
  const traceOf = (id: string) => id.replaceAll("-", "");
  expect(spans.map(({ name }) => name)).toEqual([
    "accept",
    "provider call",
    "webhook attempt",
    "claim",
  ]);
  const traces = spans.map((span) => span.spanContext().traceId);
  expect(traces.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => traceOf(messageId)));
  expect(traces[3]).not.toBe(traceOf(messageId));
  expect(spans[3]?.links.map(({ context }) => context.traceId)).toEqual(
    [messageId, another].map(traceOf),
  );
  expect(spans[1]?.attributes).toEqual({ "thikaa.outcome": "sent" });
  expect(spans[2]?.status.code).toBe(2);
});
