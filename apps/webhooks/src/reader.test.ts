// Reading: who gets which event, from where on, and that no stop or kill makes the cursor skip or repeat.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { insertEvents } from "@thikaa/db";
import { toWireId, webhookBody } from "@thikaa/schema";
import { deferred, plainEnvironment, startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, receivedEvent } from "./fixtures/house.ts";

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

const bodies = (sink: WebhookSink) =>
  sink.received.map((request) => webhookBody.parse(request.json()));
const sequences = (sink: WebhookSink) =>
  bodies(sink)
    .map(({ sequence }) => sequence)
    .toSorted((left, right) => left - right);

test("each key allowed on the channel gets its own copy under its own name and secret, others get nothing", async () => {
  const service = await house.start();
  const [first, second, other, storeId] = [
    await openSink(),
    await openSink(),
    await openSink(),
    await house.addStore(),
  ];
  const keys = [
    await house.addKey({ storeId, url: first.url }),
    await house.addKey({ storeId, url: second.url, channels: ["wd", "tg"] }),
  ];
  await house.addKey({ storeId, url: other.url, channels: ["wd"] });
  const disabled = await house.addKey({ storeId, url: other.url });
  await house.database.query({
    text: "UPDATE instances SET status = 'disabled' WHERE id = $1",
    values: [disabled.instanceId],
  });
  await house.addKey({ storeId, url: other.url, events: ["message.status"] });
  await house.addKey({ storeId: await house.addStore(), url: other.url });
  await house.receive(storeId, { channel: "tg" });
  await Promise.all([first.waitFor(1), second.waitFor(1)]);
  expect([first, second].map((sink) => bodies(sink)[0]?.instance_id)).toEqual(
    keys.map(({ instanceId }) => toWireId("instance", instanceId)),
  );
  expect(first.received[0]?.headers["x-thikaa-signature"]).not.toBe(
    second.received[0]?.headers["x-thikaa-signature"],
  );
  expect(bodies(first)[0]?.event_id).toBe(bodies(second)[0]?.event_id);
  expect(await house.deliveries(storeId)).toHaveLength(2);
  expect(other.received).toHaveLength(0);
  await service.stop();
});

test("what became of a message goes only to the key that sent it, and only when it asked", async () => {
  const service = await house.start();
  const [asking, foreign, silent, storeId] = [
    await openSink(),
    await openSink(),
    await openSink(),
    await house.addStore(),
  ];
  const sender = await house.addKey({
    storeId,
    url: asking.url,
    events: ["message.received", "message.status"],
  });
  await house.addKey({ storeId, url: foreign.url, events: ["message.status"] });
  const quiet = await house.addKey({ storeId, url: silent.url });
  await house.changeStatus(storeId, sender.instanceId);
  await house.changeStatus(storeId, quiet.instanceId);
  await asking.waitFor(1);
  await house.waitForDeliveries(
    storeId,
    (rows) => rows.length === 1 && rows[0]?.status === "delivered",
  );
  expect(bodies(asking)).toMatchObject([
    {
      event: "message.status",
      instance_id: toWireId("instance", sender.instanceId),
      data: { status: "sent" },
    },
  ]);
  expect([foreign.received, silent.received]).toEqual([[], []]);
  await service.stop();
});

test("a new endpoint gets nothing from before it existed, and everything since, also when nobody was reading", async () => {
  const [first, second, storeId] = [await openSink(), await openSink(), await house.addStore()];
  await house.receive(storeId, { count: 3 });
  await house.addKey({ storeId, url: first.url });
  await house.receive(storeId, { count: 2 });
  await house.addKey({ storeId, url: second.url });
  await house.receive(storeId);
  const service = await house.start();
  await Promise.all([first.waitFor(3), second.waitFor(1)]);
  expect([sequences(first), sequences(second)]).toEqual([[4, 5, 6], [6]]);
  await house.receive(storeId);
  await Promise.all([first.waitFor(4), second.waitFor(2)]);
  await service.stop();
  expect([sequences(first), sequences(second)]).toEqual([
    [4, 5, 6, 7],
    [6, 7],
  ]);
});

test("an endpoint whose beginning nobody marked begins by its time", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.receive(storeId, { count: 3 });
  await house.addKey({ storeId, url: sink.url, unmarked: true });
  await house.receive(storeId, { count: 2 });
  const service = await house.start();
  await sink.waitFor(2);
  await service.stop();
  expect(sequences(sink)).toEqual([4, 5]);
});

test("an unmarked endpoint in a quiet store begins at the store's end", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.receive(storeId, { count: 3 });
  await house.addKey({ storeId, url: sink.url, unmarked: true });
  const service = await house.start();
  await waitFor(() => house.cursorOf(storeId), { what: "the store's cursor" });
  await house.receive(storeId);
  await house.waitForDeliveries(storeId, (rows) => rows.at(-1)?.status === "delivered");
  await service.stop();
  expect(sequences(sink)).toEqual([4]);
});

test("an event written before the endpoint but committed after it is not skipped", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.receive(storeId);
  const service = await house.start();
  const [written, commit] = [deferred(), deferred()];
  const slow = house.database.transaction(async (transaction) => {
    await insertEvents(transaction, [receivedEvent(storeId, "tg", "slow")]);
    written.resolve();
    await commit.promise;
  });
  await written.promise;
  await house.addKey({ storeId, url: sink.url });
  commit.resolve();
  await slow;
  await house.number(storeId);
  await sink.waitFor(1);
  expect(bodies(sink)).toMatchObject([{ sequence: 2, data: { message: "slow" } }]);
  await service.stop();
});

test("over stops and starts, with two workers side by side, every event is delivered exactly once", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  const first = await house.start();
  await house.receive(storeId, { count: 700 });
  await first.stop();
  await house.receive(storeId, { count: 50 });
  const [second, third] = await Promise.all([house.start(), house.start()]);
  await house.receive(storeId, { count: 50 });
  await second.stop();
  await house.receive(storeId, { count: 50 });
  await house.waitForDeliveries(
    storeId,
    (rows) => rows.length === 850 && rows.every(({ status }) => status === "delivered"),
  );
  await third.stop();
  expect(sequences(sink)).toEqual(Array.from({ length: 850 }, (_, index) => index + 1));
});

test("after a kill −9 what was under way is delivered by the next worker under the same id, and the dead attempt is uncertain", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  // Three answers, and it is trusted with more than one request at once.
  sink.answerNext({}, {}, {});
  sink.answer({ hang: true });
  const child = spawn(
    process.execPath,
    ["--conditions=source", join(import.meta.dirname, "main.ts")],
    { env: environmentOf(house), stdio: "ignore" },
  );
  await house.receive(storeId, { count: 3 });
  await sink.waitFor(3, 20_000);
  await house.receive(storeId, { count: 3 });
  await sink.waitFor(6, 20_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  sink.answer({});
  // The dead worker's lease, run out.
  await house.database.query({
    text: "UPDATE workers SET expires_at = now() WHERE role = 'webhooks'",
  });
  const service = await house.start();
  const rows = await house.waitForDeliveries(storeId, (found) =>
    found.every(({ status }) => status === "delivered"),
  );
  expect(rows.slice(3).map(({ outcomes }) => outcomes)).toEqual(
    Array.from({ length: 3 }, () => ["uncertain", "delivered"]),
  );
  const ids = sink.received.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids.slice(3, 6))).toEqual(new Set(ids.slice(6)));
  expect(sequences(sink)).toEqual([1, 2, 3, 4, 4, 5, 5, 6, 6]);
  await service.stop();
});

test("in production a webhook to this machine or to a private address is refused, and the delivery says why", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const port = new URL(sink.url).port;
  const urls = [
    sink.url,
    `https://127.0.0.1:${port}/`,
    "https://10.0.0.1/",
    "https://localhost/",
    "https://2852039166/latest/meta-data/",
  ];
  for (const url of urls) await house.addKey({ storeId, url });
  const service = await house.start({ environment: "production" });
  await house.receive(storeId);
  const rows = await house.waitForDeliveries(
    storeId,
    (found) => found.length === urls.length && found.every(({ attempts }) => attempts === 1),
  );
  expect(
    rows.every(({ status, outcomes }) => status === "pending" && outcomes[0] === "blocked"),
  ).toBe(true);
  const reasons = rows.map(({ last_error }) => last_error ?? "").toSorted();
  expect(reasons.filter((reason) => reason.includes("not a public address"))).toHaveLength(3);
  expect(reasons.filter((reason) => reason.startsWith("The URL can't be used: "))).toHaveLength(2);
  expect(sink.received).toHaveLength(0);
  await service.stop();
});

test("by the operator's word private addresses are called in production too", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  const service = await house.start({ environment: "production", allowPrivateNetwork: true });
  await house.receive(storeId);
  await sink.waitFor(1);
  await waitFor(async () => (await house.deliveries(storeId))[0]?.status === "delivered", {
    what: "the delivery",
  });
  await service.stop();
});

function environmentOf({ config }: House): NodeJS.ProcessEnv {
  return {
    ...plainEnvironment(),
    THIKAA_ENV: config.environment,
    THIKAA_NAMESPACE: config.namespace,
    DATABASE_URL: config.databaseUrl,
    NATS_URL: config.natsUrl,
    THIKAA_MASTER_KEY: config.masterKey,
    HOST: "127.0.0.1",
    PORT: "0",
    METRICS_PORT: "0",
    LOG_LEVEL: "silent",
  };
}
