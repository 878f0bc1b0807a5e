// The admin API's manners: token, errors, limits; and stores with their credit.
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";

let running: RunningConsole;
beforeAll(async () => {
  running = await startConsole();
});
afterAll(() => running.stop());

test.each([
  ["no token", undefined],
  ["a wrong token", "Bearer wrong"],
  ["the token without its scheme", adminToken],
  ["the token with one character more", `Bearer ${adminToken}x`],
])("%s is 401 unauthorized, with a request id and no caching", async (_name, authorization) => {
  const answer = await fetch(`${running.url}/api/admin/v1/stores`, {
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const body = (await answer.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ ok: false, error: "unauthorized" });
  expect(body["request_id"]).toBe(answer.headers.get("x-request-id"));
  expect(String(body["request_id"])).toMatch(/^req_/);
});

test("an unknown field is refused by name with the nearest known one", async () => {
  const answer = await running.admin("POST", "/stores", { slug: "shop-a", credit: 5 });
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({
    error: "invalid_request",
    details: [{ path: "credit", message: "Unknown field 'credit'. Did you mean 'credits'?" }],
  });
});

test.each([
  ["a body that is not JSON", "application/json", "{", 400, "invalid_request"],
  ["a list instead of an object", "application/json", "[]", 400, "invalid_request"],
  ["a form", "application/x-www-form-urlencoded", "slug=shop", 415, "unsupported_media_type"],
  [
    "bytes that are not UTF-8",
    "application/json",
    Buffer.from([0x7b, 0xff, 0x7d]),
    415,
    "unsupported_media_type",
  ],
  [
    "a body over the limit",
    "application/json",
    `{"slug":"${"x".repeat(300_000)}"}`,
    413,
    "payload_too_large",
  ],
])("%s is a clear 4xx", async (_name, type, body, status, error) => {
  const answer = await fetch(`${running.url}/api/admin/v1/stores`, {
    method: "POST",
    headers: { Authorization: `Bearer ${adminToken}`, "Content-Type": type },
    body,
  });
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ ok: false, error });
});

test("a wrong method names the right ones, an unknown path is 404, a path that can't be decoded too", async () => {
  const wrong = await running.admin("DELETE", "/stores");
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, GET"]);
  expect((await running.admin("GET", "/nothing")).body).toMatchObject({ error: "not_found" });
  expect((await running.admin("GET", "/stores/%E0%A4%A")).status).toBe(404);
});

test("a store is made with credit, shown, listed and changed; its slug is taken once", async () => {
  const created = await running.admin("POST", "/stores", {
    slug: "shop-b",
    name: "متجر",
    credits: 2.5,
  });
  expect(created.status).toBe(201);
  expect(created.body["store"]).toMatchObject({
    slug: "shop-b",
    name: "متجر",
    plan: "professional",
    status: "active",
    balance: 2.5,
    environment: "live",
  });
  expect((await running.admin("POST", "/stores", { slug: "shop-b" })).body).toMatchObject({
    error: "conflict",
  });
  const changed = await running.admin("PATCH", "/stores/shop-b", {
    plan: "starter",
    status: "inactive",
    default_calling_code: "964",
  });
  expect(changed.body["store"]).toMatchObject({
    plan: "starter",
    status: "inactive",
    default_calling_code: "964",
    name: "متجر",
  });
  expect((await running.admin("GET", "/stores")).body["stores"]).toContainEqual(
    changed.body["store"],
  );
  expect((await running.admin("GET", "/stores/shop-none")).status).toBe(404);
});

test.each([
  [{ slug: "Shop" }, "slug"],
  [{ slug: "docs" }, "slug"],
  [{ slug: "shop-x", plan: "gold" }, "plan"],
  [{ slug: "shop-x", credits: -1 }, "credits"],
  [{ slug: "shop-x", default_calling_code: "999" }, "default_calling_code"],
])("a store like %j is refused, naming %s", async (body, path) => {
  const answer = await running.admin("POST", "/stores", body);
  expect(answer.status).toBe(400);
  expect(answer.body["details"]).toMatchObject([{ path }]);
});

test("credit is a ledger row and the balance together, down to 0 and never below", async () => {
  await running.admin("POST", "/stores", { slug: "shop-c", credits: 10 });
  expect(
    (await running.admin("POST", "/stores/shop-c/credit", { credits: 0.000001 })).body,
  ).toMatchObject({ balance: 10.000001 });
  expect(
    (await running.admin("POST", "/stores/shop-c/credit", { credits: -10.000002 })).body,
  ).toMatchObject({ error: "conflict" });
  expect(
    (await running.admin("POST", "/stores/shop-c/credit", { credits: -10.000001, note: "back" }))
      .body,
  ).toMatchObject({ balance: 0 });
  const sums = await running.database.query<{ balance: number; sum: number; rows: number }>({
    text: `SELECT b.balance_micro AS balance, sum(l.amount_micro)::bigint AS sum, count(*)::int AS rows FROM balances b JOIN stores s ON s.id = b.store_id
           JOIN ledger l ON l.store_id = s.id WHERE s.slug = 'shop-c' GROUP BY b.balance_micro`,
  });
  expect(sums.rows).toEqual([{ balance: 0, sum: 0, rows: 3 }]);
});

test("twenty credits taken at once from ten leave exactly none", async () => {
  await running.admin("POST", "/stores", { slug: "shop-d", credits: 10 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      running.admin("POST", "/stores/shop-d/credit", { credits: -1 }),
    ),
  );
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(10);
  expect((await running.admin("GET", "/stores/shop-d")).body["store"]).toMatchObject({
    balance: 0,
  });
});

test("status counts workers, connections and queues", async () => {
  const answer = await running.admin("GET", "/status");
  expect(answer.body).toMatchObject({
    ok: true,
    nats: true,
    environment: "development",
    queues: { send_queue: 0, delivery_queue: 0 },
    connections: {},
    attention: [],
  });
});

test("the admin token reaches no log", async () => {
  await running.admin("GET", "/stores");
  expect(running.logged()).toContain("/api/admin/v1/stores");
  expect(running.logged()).not.toContain(adminToken);
});
