// Delivering: signed so that receivers can verify, retried with the same bytes, never held up by another endpoint.
import crypto from "node:crypto";
import { toWireId, webhookBody } from "@thikaa/schema";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { ReceivedRequest, WebhookSink } from "@thikaa/testkit";
import { newWebhookSecret, places } from "@thikaa/vault";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House } from "./fixtures/house.ts";

let house: House;
beforeAll(async () => {
  house = await House.open();
  await house.start();
});
afterAll(() => house.close());

async function openSink(): Promise<WebhookSink> {
  const sink = await startWebhookSink();
  house.onClose(() => sink.close());
  return sink;
}

/** The lines of the public documentation, word for word. */
function verifiesAsDocumented(req: ReceivedRequest, secret: string): boolean {
  const rawBody = req.body;
  const expected = "sha256=" + crypto.createHmac("sha256", secret).update(rawBody).digest("hex");
  return crypto.timingSafeEqual(
    Buffer.from(expected),
    Buffer.from(String(req.headers["x-thikaa-signature"] || "")),
  );
}

function verifiesAsStandard(request: ReceivedRequest, secret: string): boolean {
  return (
    new Webhook(secret).verify(
      request.body.toString("utf8"),
      request.headers as Record<string, string>,
    ) !== undefined
  );
}

test("a customer's message arrives signed, so that the documented lines and the standardwebhooks package both verify it with one secret", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: `${sink.url}/hook?a=1` });
  await house.receive(storeId, { text: "مرحبا 👋" });
  const [request] = await sink.waitFor(1);
  if (request === undefined) throw new Error("unreachable");
  expect(request).toMatchObject({
    method: "POST",
    path: "/hook?a=1",
    headers: { "content-type": "application/json", "x-thikaa-event": "message.received" },
  });
  expect(request.headers["user-agent"]).toMatch(/^Thikaa/);
  expect(verifiesAsDocumented(request, key.secret)).toBe(true);
  expect(verifiesAsStandard(request, key.secret)).toBe(true);
  const body = webhookBody.parse(request.json());
  expect(body).toMatchObject({
    event: "message.received",
    instance_id: toWireId("instance", key.instanceId),
    sequence: 1,
    version: 1,
    data: { message: "مرحبا 👋", from: "700000001" },
  });
  expect(Object.keys(request.json() as object)).toEqual([
    "event",
    "instance_id",
    "event_id",
    "sequence",
    "created_at",
    "version",
    "data",
  ]);
  expect(request.headers["webhook-id"]).toBe(body.event_id);
  const [delivery] = await house.waitForDeliveries(
    storeId,
    (rows) => rows[0]?.status === "delivered",
  );
  expect(delivery).toMatchObject({
    attempts: 1,
    last_status: 200,
    last_error: null,
    wait_seconds: null,
    outcomes: ["delivered"],
  });
});

test("an altered body or another secret does not verify", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sink.url });
  await house.receive(storeId);
  const [request] = await sink.waitFor(1);
  if (request === undefined) throw new Error("unreachable");
  const altered = { ...request, body: Buffer.concat([request.body, Buffer.from(" ")]) };
  expect(verifiesAsDocumented(altered, key.secret)).toBe(false);
  expect(() => verifiesAsStandard(altered, key.secret)).toThrow();
  expect(verifiesAsDocumented(request, newWebhookSecret())).toBe(false);
  expect(() => verifiesAsStandard(request, newWebhookSecret())).toThrow();
});

test("after an error answer the same bytes come again under the same id, 5 seconds later give or take a fifth", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sink.url });
  sink.answerNext({ status: 500, body: "out of order\0" });
  await house.receive(storeId);
  const [waiting] = await house.waitForDeliveries(storeId, (rows) => rows[0]?.last_status === 500);
  expect(waiting).toMatchObject({
    status: "pending",
    attempts: 1,
    last_error: "The URL answered 500.",
    outcomes: ["refused"],
  });
  expect(waiting?.wait_seconds).toBeGreaterThan(3);
  expect(waiting?.wait_seconds).toBeLessThanOrEqual(6);
  await house.makeDue();
  const [first, second] = await sink.waitFor(2);
  if (first === undefined || second === undefined) throw new Error("unreachable");
  expect(second.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
  expect(second.body.equals(first.body)).toBe(true);
  expect(verifiesAsDocumented(second, key.secret) && verifiesAsStandard(second, key.secret)).toBe(
    true,
  );
  const [delivered] = await house.waitForDeliveries(
    storeId,
    (rows) => rows[0]?.status === "delivered",
  );
  expect(delivered).toMatchObject({
    attempts: 2,
    last_status: 200,
    outcomes: ["refused", "delivered"],
  });
});

test("a receiver that asks for time with Retry-After is given it", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  sink.answerNext({ status: 429, headers: { "Retry-After": "120" } });
  await house.receive(storeId);
  const [waiting] = await house.waitForDeliveries(storeId, (rows) => rows[0]?.last_status === 429);
  expect(waiting?.wait_seconds).toBeGreaterThan(115);
  // Whoever looks took the time a moment before it looked: the row may be younger than that.
  expect(waiting?.wait_seconds).toBeLessThan(121);
});

test("after the last attempt a delivery has failed and leaves the queue", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  sink.answer({ status: 503 });
  await house.receive(storeId);
  await house.waitForDeliveries(storeId, (rows) => rows[0]?.attempts === 1);
  await house.database.query({
    text: "UPDATE delivery_queue SET attempts = 10, due_at = now() WHERE store_id = $1",
    values: [storeId],
  });
  const [failed] = await house.waitForDeliveries(storeId, (rows) => rows[0]?.status === "failed");
  expect(failed).toMatchObject({ attempts: 11, last_status: 503, wait_seconds: null });
});

test("410 disables the endpoint with a reason its owner reads, and nothing more is sent to it", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const other = await openSink();
  const key = await house.addKey({ storeId, url: sink.url });
  await house.addKey({ storeId, url: other.url });
  sink.answer({ status: 410 });
  await house.receive(storeId);
  const rows = await house.waitForDeliveries(
    storeId,
    (found) => found.length === 2 && found.every(({ status }) => status !== "pending"),
  );
  expect(rows.find(({ endpoint_id }) => endpoint_id === key.endpointId)).toMatchObject({
    status: "failed",
    last_status: 410,
    outcomes: ["gone"],
  });
  const endpoint = await house.database.query({
    text: "SELECT status, disabled_reason FROM endpoints WHERE id = $1",
    values: [key.endpointId],
  });
  expect(endpoint.rows[0]).toEqual({
    status: "disabled",
    disabled_reason: "its URL answered 410 Gone",
  });
  await house.receive(storeId);
  await other.waitFor(2);
  expect(sink.received).toHaveLength(1);
  expect(await house.deliveries(storeId)).toHaveLength(3);
});

test("a redirect is not followed, and the delivery says so", async () => {
  const [sink, target, storeId] = [await openSink(), await openSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  sink.answer({ redirectTo: `${target.url}/elsewhere` });
  await house.receive(storeId);
  const [waiting] = await house.waitForDeliveries(storeId, (rows) => rows[0]?.last_status === 302);
  expect(waiting).toMatchObject({
    status: "pending",
    last_error: expect.stringContaining("redirects are not followed") as string,
  });
  expect(target.received).toHaveLength(0);
});

test("a hanging endpoint holds one request and delays no other, not even in its own store", async () => {
  const [hanging, healthy, storeId] = [await openSink(), await openSink(), await house.addStore()];
  hanging.answer({ hang: true });
  await house.addKey({ storeId, url: hanging.url });
  await house.addKey({ storeId, url: healthy.url });
  const begun = performance.now();
  await house.receive(storeId, { count: 60 });
  await healthy.waitFor(60, 5_000);
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(hanging.received).toHaveLength(1);
});

test("nobody listening is told apart from a refusal, and tried again", async () => {
  const [sink, storeId] = [await startWebhookSink(), await house.addStore()];
  await house.addKey({ storeId, url: sink.url });
  await sink.close();
  await house.receive(storeId);
  const [waiting] = await house.waitForDeliveries(storeId, (rows) => rows[0]?.attempts === 1);
  expect(waiting).toMatchObject({
    status: "pending",
    last_status: null,
    last_error: expect.stringMatching(/^No connection: .+\.$/) as string,
    outcomes: ["unreachable"],
  });
});

test("a secret that the vault can't open is our fault: logged as such, tried again, and no other endpoint suffers", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const broken = await house.addKey({ storeId, url: sink.url });
  await house.addKey({ storeId, url: `${sink.url}/fine` });
  await house.database.query({
    text: "UPDATE endpoints SET secret_sealed = $2 WHERE id = $1",
    values: [broken.endpointId, house.vault.seal("x", "another place")],
  });
  await house.receive(storeId);
  await sink.waitFor(1);
  const rows = await house.waitForDeliveries(
    storeId,
    (found) => found.length === 2 && found.every(({ attempts }) => attempts === 1),
  );
  expect(rows.find(({ endpoint_id }) => endpoint_id === broken.endpointId)).toMatchObject({
    status: "pending",
    outcomes: ["internal_error"],
  });
  expect(sink.received.map(({ path }) => path)).toEqual(["/fine"]);
});

test("while a secret is being changed the standard header carries both, the documented one stays on the old", async () => {
  const [sink, storeId] = [await openSink(), await house.addStore()];
  const key = await house.addKey({ storeId, url: sink.url });
  const next = newWebhookSecret();
  await house.database.query({
    text: "UPDATE endpoints SET previous_secret_sealed = secret_sealed, previous_secret_until = now() + interval '1 day', secret_sealed = $2 WHERE id = $1",
    values: [key.endpointId, house.vault.seal(next, places.endpointSecret(key.endpointId))],
  });
  await house.receive(storeId);
  const [during] = await sink.waitFor(1);
  if (during === undefined) throw new Error("unreachable");
  expect(verifiesAsStandard(during, key.secret) && verifiesAsStandard(during, next)).toBe(true);
  expect([verifiesAsDocumented(during, key.secret), verifiesAsDocumented(during, next)]).toEqual([
    true,
    false,
  ]);
  await house.database.query({
    text: "UPDATE endpoints SET previous_secret_until = now() WHERE id = $1",
    values: [key.endpointId],
  });
  await house.receive(storeId);
  const [, after] = await sink.waitFor(2);
  if (after === undefined) throw new Error("unreachable");
  expect(verifiesAsStandard(after, next) && verifiesAsDocumented(after, next)).toBe(true);
  expect(() => verifiesAsStandard(after, key.secret)).toThrow();
});

test("stopping lets a request under way finish, and its delivery is not repeated", async () => {
  const own = await House.open();
  const sink = await startWebhookSink();
  try {
    const service = await own.start();
    const storeId = await own.addStore();
    await own.addKey({ storeId, url: sink.url });
    sink.answer({ delayMs: 700 });
    await own.receive(storeId);
    await sink.waitFor(1);
    await service.stop();
    expect(await own.deliveries(storeId)).toMatchObject([
      { status: "delivered", outcomes: ["delivered"] },
    ]);
    await own.start();
    await own.receive(storeId);
    await sink.waitFor(2);
    expect(sink.received.map((request) => webhookBody.parse(request.json()).sequence)).toEqual([
      1, 2,
    ]);
  } finally {
    await sink.close();
    await own.close();
  }
});

test("stopping does not wait for a hanging receiver; its delivery is due again at once", async () => {
  const own = await House.open();
  const sink = await startWebhookSink();
  try {
    const service = await own.start();
    const storeId = await own.addStore();
    await own.addKey({ storeId, url: sink.url });
    sink.answerNext({ hang: true });
    await own.receive(storeId);
    await sink.waitFor(1);
    const begun = performance.now();
    await service.stop();
    expect(performance.now() - begun).toBeLessThan(8_000);
    const [waiting] = await own.deliveries(storeId);
    expect(waiting).toMatchObject({ status: "pending", attempts: 0, outcomes: ["uncertain"] });
    expect(waiting?.wait_seconds).toBeLessThanOrEqual(0);
    await own.start();
    await waitFor(async () => (await own.deliveries(storeId))[0]?.status === "delivered", {
      what: "the delivery after the restart",
    });
  } finally {
    await sink.close();
    await own.close();
  }
});
