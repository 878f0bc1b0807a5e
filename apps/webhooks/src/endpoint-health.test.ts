// What people see of endpoints that do not do well, and how it ends: well again, or disabled.
import { Database, listEvents, listUnwellEndpoints } from "@thikaa/db";
import { createLog } from "@thikaa/runtime";
import { storeEvent, toWireId } from "@thikaa/schema";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";
import { Reader } from "./reader.ts";

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

async function openSink(): Promise<WebhookSink> {
  const sink = await startWebhookSink();
  house.onClose(() => sink.close());
  return sink;
}

const unwell = (storeId: string) => listUnwellEndpoints(house.database, { storeId, limit: 10 });

test("an endpoint that keeps failing is shown with its reason and its next try; once it answers it is well, and nothing was lost", async () => {
  const service = await house.start();
  const [sick, sound, storeId] = [await openSink(), await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sick.url });
  await house.addKey({ storeId, url: sound.url });
  sick.answer({ status: 500 });
  await house.receive(storeId, { count: 12 });
  const [shown] = await waitFor(
    async () => await unwell(storeId).then((found) => (found.length > 0 ? found : null)),
    { what: "the endpoint to be shown as failing" },
  );
  expect(shown).toMatchObject({
    id: key.endpointId,
    health: "failing",
    reason: "The URL answered 500.",
    disabled_reason: null,
  });
  expect(shown?.next_try_at?.getTime()).toBeGreaterThan(shown?.since.getTime() ?? Number.NaN);
  await sound.waitFor(12);
  expect(sick.received.length).toBeLessThan(12);
  sick.answer({});
  await house.makeDue();
  await house.waitForDeliveries(storeId, (rows) =>
    rows.every(({ status }) => status === "delivered"),
  );
  expect(await unwell(storeId)).toEqual([]);
  await service.stop();
});

test("an endpoint that has not once answered well for five days is disabled, and what waited to it says so", async () => {
  const [sink, alarm, storeId] = [await openSink(), await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sink.url });
  await house.addKey({ storeId, url: alarm.url, channels: ["wd"], events: ["endpoint.disabled"] });
  const first = await house.start();
  sink.answer({ status: 503 });
  await house.receive(storeId, { count: 6 });
  await waitFor(async () => (await unwell(storeId)).length === 1, { what: "it to be failing" });
  await first.stop();
  await house.database.query({
    text: "UPDATE endpoints SET health_since = now() - interval '5 days 1 minute' WHERE id = $1",
    values: [key.endpointId],
  });
  await house.makeDue();
  const second = await house.start();
  const rows = await house.waitForDeliveries(
    storeId,
    (found) => found.length === 6 && found.every(({ status }) => status === "failed"),
  );
  const reason = "it has not once answered well for 5 days";
  expect(await unwell(storeId)).toMatchObject([{ disabled_reason: reason, next_try_at: null }]);
  for (const { last_error } of rows)
    expect(last_error).toContain(`Not tried any more: the webhook was disabled (${reason}).`);
  expect(sink.received.length).toBeLessThan(10);
  await house.number(storeId);
  const events = await listEvents(house.database, { storeId, after: 6, limit: 10 });
  expect(events).toMatchObject([
    {
      event: "endpoint.disabled",
      sequence: 7,
      data: {
        endpoint_id: toWireId("endpoint", key.endpointId),
        instance_id: toWireId("instance", key.instanceId),
        reason,
        failing_since: expect.stringMatching(/^\d{4}-/) as string,
      },
    },
  ]);
  expect(events.map((event) => storeEvent.parse(event))).toEqual(events);
  // The store's other endpoints may have it.
  const [told] = await alarm.waitFor(1);
  expect(told?.json()).toMatchObject({ event: "endpoint.disabled", data: { reason } });
  await second.stop();
});

test("a webhook that moved to another URL is tried at once, whatever was thought of the old one", async () => {
  const [sick, sound, storeId] = [await openSink(), await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sick.url });
  const service = await house.start();
  sick.answer({ status: 500 });
  await house.receive(storeId, { count: 3 });
  await waitFor(async () => (await unwell(storeId)).length === 1, { what: "it to be failing" });
  // A long pause, as after many failures.
  await house.database.query({
    text: "UPDATE endpoints SET url = $2 WHERE id = $1",
    values: [key.endpointId, sound.url],
  });
  // One that is under way just now is due a backoff later.
  await waitFor(() => house.makeDue().then(() => sound.received.length === 3), {
    what: "all three to arrive at the new one",
  });
  await waitFor(async () => (await unwell(storeId)).length === 0, { what: "it to be well" });
  await service.stop();
});

/** A real database that counts what it is asked. */
class CountingDatabase extends Database {
  asked = 0;

  override query: Database["query"] = (statement) => {
    this.asked++;
    return super.query(statement);
  };
}

test("events that nobody wants are passed over in a few statements, however many rings they make", async () => {
  const storeId = await house.addStore();
  const key = await house.addKey({ storeId, url: "http://127.0.0.1:1/" });
  const database = new CountingDatabase({
    url: house.config.databaseUrl,
    applicationName: "counting",
  });
  house.onClose(() => database.close());
  const deliveries: string[] = [];
  const reader = Reader.start({
    database,
    log: createLog({ name: "test", level: "silent" }),
    owns: () => true,
    onDelivery: ({ endpointId }) => deliveries.push(endpointId),
  });
  const begun = performance.now();
  for (let count = 0; count < 200; count++) {
    await house.changeStatus(storeId, key.instanceId);
    reader.ring(storeId, ["message.status"]);
  }
  await waitFor(async () => (await house.cursorOf(storeId)) === 200, { what: "the cursor" });
  const seconds = Math.ceil((performance.now() - begun) / 1_000) + 1;
  // A poll, a page and its cursor each second, and as many when the interest had to be learnt anew.
  expect(database.asked).toBeLessThanOrEqual(6 * seconds);
  await house.receive(storeId);
  reader.ring(storeId, ["message.received"]);
  await waitFor(() => deliveries.length === 1, { what: "the wanted one" });
  await reader.stop();
});
