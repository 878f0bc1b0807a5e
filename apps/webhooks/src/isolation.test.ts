// Isolation: endpoints that hang, however many, and however well they did before, take nothing from the others.
import { setTimeout as pause } from "node:timers/promises";
import { startWebhookSink } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";

const healthyStores = 10;
const samples = 600;
const everyMs = 15;
/** Samples before the hang begins: connections are open and endpoints known. */
const warmUp = 100;

const houses: House[] = [];
afterAll(() => Promise.all(houses.map((house) => house.close())));

interface Side {
  readonly house: House;
  readonly sink: WebhookSink;
  readonly stores: readonly string[];
  readonly sentAt: Map<string, number>;
}

async function openSide(): Promise<Side> {
  const house = await House.open();
  houses.push(house);
  const sink = await startWebhookSink();
  house.onClose(() => sink.close());
  await house.start();
  const stores = await addStores(house, healthyStores, sink.url);
  return { house, sink, stores, sentAt: new Map() };
}

async function addStores(house: House, count: number, url: string): Promise<string[]> {
  const stores = [];
  for (let index = 0; index < count; index++) {
    const storeId = await house.addStore();
    await house.addKey({ storeId, url: `${url}/${storeId}` });
    stores.push(storeId);
  }
  return stores;
}

async function sample(side: Side, index: number): Promise<void> {
  const text = `sample ${index}`;
  const storeId = side.stores[index % healthyStores];
  if (storeId === undefined) throw new Error("unreachable");
  side.sentAt.set(text, Date.now());
  await side.house.receive(storeId, { text });
}

/** Milliseconds from an event's beginning to its webhook, for all samples after the warm-up, sorted. */
function latencies({ sink, sentAt }: Side): number[] {
  return sink.received
    .flatMap((request) => {
      const { data } = request.json() as { data: { message: string } };
      const measured = Number(data.message.split(" ")[1]) >= warmUp;
      return measured ? [request.receivedAt - (sentAt.get(data.message) ?? Number.NaN)] : [];
    })
    .toSorted((left, right) => left - right);
}

const p99 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;

/** A side, and endpoints in its house that have earned many requests at once. */
async function openStruckSide(count: number) {
  const side = await openSide();
  const sick = await startWebhookSink();
  side.house.onClose(() => sick.close());
  const stores = await addStores(side.house, count, sick.url);
  const earned = Math.ceil(600 / count);
  for (const storeId of stores) await side.house.receive(storeId, { count: earned });
  await sick.waitFor(earned * count, 30_000);
  const strike = async () => {
    sick.answer({ hang: true });
    for (const storeId of stores) await side.house.receive(storeId, { count: 40 });
  };
  return { side, strike };
}

// The baseline is a house of the same shape in the same process, sampled in turn with the others: whatever else the machine does strikes all.
test(
  "with 10 or 60 endpoints that hang all at once, webhooks to ten healthy stores are as quick as without them",
  { timeout: 120_000 },
  async () => {
    const calm = await openSide();
    const struck = [await openStruckSide(10), await openStruckSide(60)];
    const sides = [calm, ...struck.map(({ side }) => side)];
    const sent: Promise<void>[] = [];
    for (let index = 0; index < samples; index++) {
      if (index === warmUp) sent.push(...struck.map(({ strike }) => strike()));
      sent.push(...sides.map((side) => sample(side, index)));
      await pause(everyMs);
    }
    await Promise.all(sent);
    await Promise.all(sides.map(({ sink }) => sink.waitFor(samples, 30_000)));
    const baseline = p99(latencies(calm));
    for (const { side } of struck) {
      const measured = latencies(side);
      const words = `p99 ${p99(measured)} ms against ${baseline} ms, ${measured.length} samples each`;
      expect(p99(measured), words).toBeLessThanOrEqual(2 * baseline);
      expect(measured).toHaveLength(samples - warmUp);
    }
  },
);
