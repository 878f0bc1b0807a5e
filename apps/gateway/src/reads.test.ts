// The actions that read, and cancel: what they show, to whom, and what they change.
import { numberEvents, storeShard } from "@thikaa/db";
import { claim, settle } from "@thikaa/sending";
import { fromWireId } from "@thikaa/schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hello, openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { call } from "./fixtures/house.ts";
import type { Answer, Owner, TestKey, TestStore } from "./fixtures/house.ts";

let bench: Bench;
let store: TestStore;
let key: TestKey;
let connection: string;
let owner: Owner;

beforeAll(async () => {
  bench = await openBench("gateway_reads");
  store = await bench.house.store({ credits: 50 });
  key = await bench.house.key(store, { channels: ["tg", "wd"] });
  connection = await bench.house.connection(store);
  await bench.house.connection(store, "fb");
  owner = await bench.house.own(store, connection);
});

afterAll(() => bench.house.close());

function ask(action: string, query = "", apiKey = key.apiKey): Promise<Answer> {
  return call(bench.gateway, { store: store.slug, action, apiKey, query });
}

async function send(change: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const answer = await call(bench.gateway, {
    store: store.slug,
    action: "send",
    apiKey: key.apiKey,
    body: { ...hello, ...change },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

async function deliver(outcome: Parameters<typeof settle>[1][number]["outcome"]): Promise<void> {
  const { connectionId, epoch, worker } = owner;
  const begun = await claim(bench.house.database, {
    worker,
    claims: [{ connectionId, epoch, addresses: [hello.to] }],
    plan: ({ content }) => [{ n: 1, payload: content.text }],
  });
  await settle(
    bench.house.database,
    begun.map((attempt) => ({ attempt, outcome })),
  );
}

test("status shows the key, its store's money and the connections of its channels", async () => {
  const sent = await send();
  const { body } = await ask("status");
  expect(body).toMatchObject({
    ok: true,
    name: "test",
    status: "active",
    store: store.slug,
    channels: ["tg", "wd"],
    balance: 49,
    plan: "professional",
  });
  expect(fromWireId("instance", String(body["instance_id"]))).toBe(key.instanceId);
  expect(body["connections"]).toMatchObject([
    {
      id: connection,
      channel: "tg",
      name: "test",
      default: true,
      state: "connected",
      reason: null,
      queued: 1,
      last_inbound_at: null,
      last_sent_at: null,
    },
  ]);
  await ask("cancel", `&id=${String(sent["message_id"])}`);
});

test("a connection whose worker is gone is not called connected, in status and in the warning of a send", async () => {
  const away = await bench.house.store();
  const apiKey = (await bench.house.key(away)).apiKey;
  const { worker } = await bench.house.own(away, await bench.house.connection(away));
  const state = async () =>
    (
      (await call(bench.gateway, { store: away.slug, action: "status", apiKey })).body[
        "connections"
      ] as { state: string; reason: unknown }[]
    )[0];
  expect(await state()).toMatchObject({ state: "connected" });
  await bench.house.database.query({
    text: "UPDATE workers SET expires_at = now() - interval '1 second' WHERE id = $1",
    values: [worker],
  });
  expect((await state())?.state).not.toBe("connected");
  const answer = await call(bench.gateway, {
    store: away.slug,
    action: "send",
    apiKey,
    body: hello,
  });
  expect(answer.body["warnings"]).toMatchObject([{ code: "connection_not_connected" }]);
});

describe("message", () => {
  test("shows where a message stands, and how it got there", async () => {
    const sent = await send({ client_reference: "order-18", ttl: 3600 });
    expect(sent["client_reference"]).toBe("order-18");
    const waiting = (await ask("message", `&id=${String(sent["message_id"])}`)).body;
    expect(waiting).toMatchObject({
      status: "queued",
      final: false,
      reason: null,
      client_reference: "order-18",
      price: 1,
      refunded: false,
      possible_duplicate: false,
      connection_id: connection,
      send_at: null,
      parts: [],
    });
    expect(
      Date.parse(String(waiting["deadline_at"])) - Date.parse(String(waiting["created_at"])),
    ).toBe(3_600_000);
    await deliver({ class: "sent", providerMessageId: "51" });
    const done = (await ask("message", `&id=${String(sent["message_id"])}`)).body;
    expect(done).toMatchObject({
      status: "sent",
      final: true,
      parts: [{ n: 1, provider_message_id: "51", status: "sent" }],
    });
    const timeline = done["timeline"] as { at: string; status: string }[];
    expect(timeline.map(({ status }) => status)).toEqual(["accepted", "sending", "sent"]);
    expect(timeline.map(({ at }) => at).toSorted()).toEqual(timeline.map(({ at }) => at));
  });

  test("one that arrived and was not read is final from its deadline on", async () => {
    const sent = await send({ ttl: 3600 });
    const query = `&id=${String(sent["message_id"])}`;
    const id = fromWireId("message", String(sent["message_id"]));
    await deliver({ class: "sent", providerMessageId: "53" });
    const arrive = (deadline: string) =>
      bench.house.database.query({
        text: "UPDATE messages SET status = 'delivered', final = false, deadline_at = now() + $2::interval WHERE id = $1",
        values: [id, deadline],
      });
    await arrive("1 hour");
    expect((await ask("message", query)).body).toMatchObject({ status: "delivered", final: false });
    await arrive("-1 second");
    expect((await ask("message", query)).body).toMatchObject({ status: "delivered", final: true });
  });

  test("another instance's message is not found, nor one that never was; a missing id is told", async () => {
    const sent = await send();
    const other = await bench.house.key(store);
    const query = `&id=${String(sent["message_id"])}`;
    for (const action of ["message", "cancel"]) {
      bench.expectError(await ask(action, query, other.apiKey), "not_found");
      bench.expectError(await ask(action, "&id=msg_01JD0000000000000000000000"), "not_found");
      const missing = await ask(action);
      bench.expectError(missing, "invalid_request");
      expect(missing.body["details"]).toMatchObject([{ path: "id" }]);
    }
    expect((await ask("message", query)).body["status"]).toBe("queued");
    await ask("cancel", query);
  });
});

describe("cancel", () => {
  test("takes a waiting message back with its credit, once", async () => {
    const before = await bench.house.balance(store);
    const sent = await send();
    const query = `&id=${String(sent["message_id"])}`;
    for (let time = 0; time < 2; time++)
      expect((await ask("cancel", query)).body).toEqual({
        ok: true,
        message_id: sent["message_id"],
        status: "cancelled",
        final: true,
        refunded: true,
      });
    expect(await bench.house.balance(store)).toEqual(before);
    expect((await ask("message", query)).body).toMatchObject({
      status: "cancelled",
      final: true,
      refunded: true,
      reason: { code: "cancelled" },
    });
  });

  test("leaves a sent one as it is, and says so", async () => {
    const sent = await send();
    await deliver({ class: "sent", providerMessageId: "52" });
    expect((await ask("cancel", `&id=${String(sent["message_id"])}`)).body).toMatchObject({
      status: "sent",
      final: true,
      refunded: false,
    });
  });
});

describe("when", () => {
  test("a message for later is scheduled, waits, and lives for its ttl from then", async () => {
    const sendAt = new Date(Date.now() + 3_600_000);
    const sent = await send({ send_at: sendAt.toISOString().replace("Z", "+00:00"), ttl: 60 });
    expect(sent["status"]).toBe("scheduled");
    await deliver({ class: "sent", providerMessageId: "53" });
    const { body } = await ask("message", `&id=${String(sent["message_id"])}`);
    expect(body).toMatchObject({
      status: "scheduled",
      send_at: sendAt.toISOString(),
      deadline_at: new Date(sendAt.getTime() + 60_000).toISOString(),
    });
    await ask("cancel", `&id=${String(sent["message_id"])}`);
  });

  test("a time that has passed is now, with a warning", async () => {
    const sent = await send({ send_at: "2020-01-01T00:00:00Z" });
    expect(sent).toMatchObject({ status: "queued", warnings: [{ code: "send_at_past" }] });
    await ask("cancel", `&id=${String(sent["message_id"])}`);
  });
});

describe("events", () => {
  test("pages follow each other without gap or repeat, and the end is told", async () => {
    await bench.house.database.query({ text: "DELETE FROM send_queue" });
    for (let index = 0; index < 7; index++) await send({ client_reference: `event-${index}` });
    while ((await numberEvents(bench.house.database, storeShard(store.id), 5)).length > 0);
    const seen: number[] = [];
    let after = 0;
    for (let hasMore = true; hasMore;) {
      const { body } = await ask("events", `&after=${after}&limit=3`);
      const events = body["events"] as { sequence: number }[];
      expect(events.length).toBeLessThanOrEqual(3);
      seen.push(...events.map(({ sequence }) => sequence));
      hasMore = body["has_more"] === true;
      after = Number(body["next_after"]);
    }
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    expect(seen.length).toBeGreaterThan(7);
    expect((await ask("events", `&after=${after}`)).body).toEqual({
      ok: true,
      events: [],
      has_more: false,
      next_after: after,
    });
  });

  test.each([
    "&limit=0",
    "&limit=101",
    "&limit=x",
    "&after=-1",
    "&after=1.5",
    "&after=99999999999999999",
  ])("the page %s is refused by its name", async (query) => {
    const answer = await ask("events", query);
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toMatchObject([{ path: query.slice(1).split("=")[0] }]);
  });
});
