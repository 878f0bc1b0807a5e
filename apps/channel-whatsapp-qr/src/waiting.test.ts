// Waiting leaves nothing behind: a connection lives for months, and waits at every message.
import { getEventListeners } from "node:events";
import { createMemoryContext } from "@thikaa/testkit";
import { expect, test } from "vitest";
import { Condition } from "./condition.ts";
import { Health } from "./health/health.ts";
import { sleep } from "./waiting.ts";

test("a sleep that ended is not remembered by the signal, however it ended", async () => {
  const life = new AbortController();
  await sleep(1, life.signal);
  expect(getEventListeners(life.signal, "abort")).toEqual([]);
  const cut = sleep(60_000, life.signal);
  life.abort();
  await cut;
  await sleep(60_000, life.signal);
  expect(getEventListeners(life.signal, "abort")).toEqual([]);
});

test("a message that goes out leaves nothing at its connection's signal", async () => {
  const context = createMemoryContext({ baseUrl: "", credentials: {} });
  const settings = { paceMs: { min: 0, max: 0 }, dailyFirstContacts: 0 };
  const health = new Health(context, new Condition(context), settings);
  for (let sent = 0; sent < 20; sent += 1) await health.admit({ isFirst: false });
  expect(getEventListeners(context.signal, "abort")).toEqual([]);
});
