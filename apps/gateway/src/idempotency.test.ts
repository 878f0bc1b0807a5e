// Idempotency: a known key answers the same for 72 hours, whatever has changed around it, and never sends twice.
import { afterAll, beforeAll, expect, test } from "vitest";
import { hello, openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { call } from "./fixtures/house.ts";
import type { Answer, TestStore } from "./fixtures/house.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("gateway_idempotency");
});

afterAll(() => bench.house.close());

const withKey = (key: string) => ({ "Idempotency-Key": key });

function expectReplay(answer: Answer, first: Answer): void {
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual(first.body);
  expect(answer.headers.get("idempotent-replayed")).toBe("true");
}

test("a first answer is no replay, and the same request again is one", async () => {
  const first = await bench.send({ headers: withKey("first") });
  expect(first.headers.get("idempotent-replayed")).toBeNull();
  const before = await bench.house.balance(bench.store);
  expectReplay(await bench.send({ headers: withKey("first") }), first);
  expect(await bench.house.balance(bench.store)).toEqual(before);
});

test("the replay is the same after a restart, with the balance spent, the channel taken from the key and the connection gone", async () => {
  const { house } = bench;
  const store = await house.store({ credits: 1 });
  const key = await house.key(store);
  await house.connection(store);
  const request = {
    store: store.slug,
    action: "send",
    apiKey: key.apiKey,
    body: { ...hello, client_reference: "18" },
    headers: withKey("order-18"),
  };
  const gateway = await house.gateway();
  const first = await call(gateway, request);
  expect(first.status).toBe(200);
  expect(await house.balance(store)).toEqual({ balance: 0, ledger: 0 });
  await gateway.stop();
  const restarted = await house.gateway();
  expectReplay(await call(restarted, request), first);
  const values = [store.id];
  await house.database.query({
    text: "UPDATE instances SET channels = '{wd}' WHERE store_id = $1",
    values,
  });
  await house.database.query({
    text: "UPDATE connections SET desired = 'removed' WHERE store_id = $1",
    values,
  });
  await house.database.query({
    text: "UPDATE stores SET status = 'inactive' WHERE id = $1",
    values,
  });
  await restarted.stop();
  const last = await house.gateway();
  expectReplay(await call(last, request), first);
  expect(await countMessages(store)).toBe(1);
});

test("bodies are equal when they are equal after parsing", async () => {
  const first = await bench.send({
    body: '{"channel":"tg","to":"700000001","message":"سعر/1"}',
    headers: withKey("equal"),
  });
  expect(first.status).toBe(200);
  for (const body of [
    '{ "message" : "سعر/1", "to": "700000001",\n"channel":"tg" }',
    String.raw`{"to":"\u0037\u0030\u0030\u0030\u0030\u0030\u0030\u0030\u0031","channel":"tg","message":"\u0633\u0639\u0631\/1"}`,
    '{"message":"lost","message":"سعر/1","to":"700000001","channel":"tg"}',
  ]) {
    expectReplay(await bench.send({ body, headers: withKey("equal") }), first);
  }
});

test("bodies that differ in a value, a type or a null are another body", async () => {
  await bench.send({ headers: withKey("differs") });
  for (const change of [
    { message: "Hello" },
    { to: 700000001 },
    { client_reference: null },
    { mesage: "x" },
  ]) {
    const answer = await bench.send({ body: { ...hello, ...change }, headers: withKey("differs") });
    bench.expectError(answer, "idempotency_mismatch");
  }
  for (const body of ["", "{", JSON.stringify(hello).padEnd(300_000)]) {
    bench.expectError(
      await bench.send({ body, headers: withKey("differs") }),
      "idempotency_mismatch",
    );
  }
});

test("the same key of another instance is another key", async () => {
  const other = await bench.house.key(bench.store);
  const [first, second] = [
    await bench.send({ headers: withKey("mine") }),
    await bench.send({ apiKey: other.apiKey, headers: withKey("mine") }),
  ];
  expect(second.status).toBe(200);
  expect(second.headers.get("idempotent-replayed")).toBeNull();
  expect(second.body["message_id"]).not.toBe(first.body["message_id"]);
});

test("a refusal is not stored: the key is free for the corrected request", async () => {
  const store = await bench.house.store({ credits: 0 });
  const key = await bench.house.key(store);
  await bench.house.connection(store);
  const request = {
    store: store.slug,
    action: "send",
    apiKey: key.apiKey,
    headers: withKey("later"),
  };
  bench.expectError(
    await call(bench.gateway, { ...request, body: { ...hello, to: " " } }),
    "invalid_recipient",
  );
  bench.expectError(await call(bench.gateway, { ...request, body: hello }), "insufficient_balance");
  await bench.house.database.query({
    text: "UPDATE balances SET balance_micro = 1000000 WHERE store_id = $1",
    values: [store.id],
  });
  const answer = await call(bench.gateway, { ...request, body: hello });
  expect([answer.status, answer.headers.get("idempotent-replayed")]).toEqual([200, null]);
});

test("quotes and spaces around a key are not part of it", async () => {
  const first = await bench.send({ headers: withKey("quoted") });
  for (const key of ['"quoted"', ' "quoted" ', "quoted "])
    expectReplay(await bench.send({ headers: withKey(key) }), first);
  const inner = await bench.send({ headers: withKey('a"quoted"') });
  expect(inner.headers.get("idempotent-replayed")).toBeNull();
});

test("keys of 255 characters are whole: two that differ in the last one are two", async () => {
  const [first, second] = [
    await bench.send({ headers: withKey(`${"k".repeat(254)}1`) }),
    await bench.send({ headers: withKey(`${"k".repeat(254)}2`) }),
  ];
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(first.body["message_id"]).not.toBe(second.body["message_id"]);
});

test("50 parallel requests with 10 keys over two gateways are 10 messages", async () => {
  const second = await bench.house.gateway();
  const store = await bench.house.store({ credits: 10 });
  const key = await bench.house.key(store);
  await bench.house.connection(store);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      call(index % 2 === 0 ? bench.gateway : second, {
        store: store.slug,
        action: "send",
        apiKey: key.apiKey,
        body: { ...hello, message: `${index % 10}` },
        headers: withKey(`k${index % 10}`),
      }),
    ),
  );
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ body }) => body["message_id"])).size).toBe(10);
  expect(await countMessages(store)).toBe(10);
  expect(await bench.house.balance(store)).toEqual({ balance: 0, ledger: 0 });
});

async function countMessages(store: TestStore): Promise<number> {
  const { rows } = await bench.house.database.query<{ count: number }>({
    text: "SELECT count(*)::int AS count FROM messages WHERE store_id = $1",
    values: [store.id],
  });
  return rows[0]?.count ?? 0;
}
