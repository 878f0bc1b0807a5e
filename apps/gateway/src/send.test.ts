// The send action: what is accepted is stored once, paid once, and told exactly.
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, openHouse, textOnly } from "./fixtures/house.ts";
import type { House, TestGateway, TestKey, TestStore } from "./fixtures/house.ts";

let house: House;
let gateway: TestGateway;
let store: TestStore;
let key: TestKey;

beforeAll(async () => {
  house = await openHouse("gateway_send");
  gateway = await house.gateway();
  store = await house.store({ credits: 100 });
  key = await house.key(store);
  await house.connection(store);
  await house.describe("tg", textOnly);
});

afterAll(() => house.close());

test("the mission's body is accepted, stored, paid and queued", async () => {
  const answer = await call(gateway, {
    store: store.slug,
    action: "send",
    apiKey: key.apiKey,
    body: { channel: "tg", to: "700000001", message: "مرحبا زينب 👋" },
  });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ ok: true, channel: "tg", to: "700000001", status: "queued" });
  const { rows } = await house.database.query<{
    balance_micro: number;
    ledger: number;
    queued: number;
  }>({
    text: `SELECT balance_micro, (SELECT sum(amount_micro)::bigint FROM ledger WHERE store_id = $1) AS ledger, (SELECT count(*)::int FROM send_queue WHERE store_id = $1) AS queued FROM balances WHERE store_id = $1`,
    values: [store.id],
  });
  expect(rows[0]).toEqual({ balance_micro: 99_000_000, ledger: 99_000_000, queued: 1 });
  const shown = await call(gateway, {
    store: store.slug,
    action: "message",
    apiKey: key.apiKey,
    query: `&id=${String(answer.body["message_id"])}`,
  });
  expect(shown.body).toMatchObject({ status: "queued", final: false, price: 1, parts: [] });
});

test("50 parallel sends with one Idempotency-Key are one message and one debit", async () => {
  const before = await balance();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      call(gateway, {
        store: store.slug,
        action: "send",
        apiKey: key.apiKey,
        headers: { "Idempotency-Key": "order-18" },
        body: { channel: "tg", to: 700000001, message: "once" },
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ body }) => body["message_id"])).size).toBe(1);
  expect(
    answers.filter(({ headers }) => headers.get("idempotent-replayed") === "true"),
  ).toHaveLength(49);
  expect(before - (await balance())).toBe(1_000_000);
});

async function balance(): Promise<number> {
  const { rows } = await house.database.query<{ balance_micro: number }>({
    text: "SELECT balance_micro FROM balances WHERE store_id = $1",
    values: [store.id],
  });
  return rows[0]?.balance_micro ?? 0;
}
