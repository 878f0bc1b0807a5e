// Isolation: endpoints that hang, however many, and however well they did before, take nothing from the others.
import { setTimeout as pause } from "node:timers/promises";
import { startWebhookSink } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";

const healthyStores = 10;
const samples = 600;
const everyMs = 20;
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

// The baseline is a second house of the same shape in the same process, sampled in turn with the first: whatever else the machine does strikes both.
test.each([10, 60])(
  "with %i endpoints that hang all at once, webhooks to ten healthy stores are as quick as without them",
  { timeout: 120_000 },
  async (count) => {
    const [calm, struck] = [await openSide(), await openSide()];
    const sick = await startWebhookSink();
    struck.house.onClose(() => sick.close());
    const sickStores = await addStores(struck.house, count, sick.url);
    // They have earned many requests at once before they hang.
    const earned = Math.ceil(600 / count);
    for (const storeId of sickStores) await struck.house.receive(storeId, { count: earned });
    await sick.waitFor(earned * count, 30_000);
    const sent: Promise<void>[] = [];
    for (let index = 0; index < samples; index++) {
      if (index === warmUp) {
        sick.answer({ hang: true });
        sent.push(burst(struck.house, sickStores));
      }
      sent.push(sample(calm, index), sample(struck, index));
      await pause(everyMs);
    }
    await Promise.all(sent);
    await Promise.all([calm.sink.waitFor(samples, 30_000), struck.sink.waitFor(samples, 30_000)]);
    const [baseline, measured] = [latencies(calm), latencies(struck)];
    const words = `p99 ${p99(measured)} ms against ${p99(baseline)} ms, ${measured.length} samples each`;
    expect(p99(measured), words).toBeLessThanOrEqual(2 * p99(baseline));
    expect(measured).toHaveLength(samples - warmUp);
  },
);

async function burst(house: House, stores: readonly string[]): Promise<void> {
  for (const storeId of stores) await house.receive(storeId, { count: 40 });
}
