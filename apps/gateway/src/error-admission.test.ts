// The error table over HTTP, until the body: action, method, key, rate, plan, Idempotency-Key; one test a row, with what its caller needs to go on.
import { Bus } from "@thikaa/bus";
import { errorTable } from "@thikaa/schema";
import { fingerprint } from "@thikaa/sending";
import { natsUrl, waitFor } from "@thikaa/testkit";
import { newApiKey } from "@thikaa/vault";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hello, openBench } from "./fixtures/bench.ts";
import type { Bench } from "./fixtures/bench.ts";
import { call } from "./fixtures/house.ts";
import type { Answer } from "./fixtures/house.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("gateway_admission");
});

afterAll(() => bench.house.close());

describe("action and method", () => {
  test.each(["fly", "SEND", "", "constructor", "__proto__"])(
    "action %j is unknown",
    async (action) => {
      bench.expectError(await bench.send({ action, method: "POST" }), "unknown_action");
    },
  );

  test("a request without an action is an unknown action", async () => {
    const answer = await fetch(`${bench.gateway.url}/${bench.store.slug}/api/messaging`);
    expect([answer.status, await errorOf(answer)]).toEqual([400, "unknown_action"]);
  });

  test.each([
    ["send", "PUT", "POST"],
    ["send", "GET", "POST"],
    ["cancel", "GET", "POST"],
    ["status", "POST", "GET"],
    ["message", "DELETE", "GET"],
    ["events", "POST", "GET"],
  ])("action %s by %s names %s as the one to use", async (action, method, allow) => {
    const answer = await call(bench.gateway, { store: bench.store.slug, action, method });
    bench.expectError(answer, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe(allow);
  });
});

describe("the key", () => {
  test.each<[string, Record<string, string>]>([
    ["no header", {}],
    ["an empty Bearer", { Authorization: "Bearer " }],
    ["another scheme", { Authorization: `Basic ${btoa("a:b")}` }],
    ["an empty X-API-Key", { "X-API-Key": " " }],
  ])("%s is a missing key", async (_name, headers) => {
    const answer = await bench.send({ apiKey: undefined, headers });
    bench.expectError(answer, "missing_api_key");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(answer.headers.get("ratelimit")).toBeNull();
  });

  test("a key in the URL is not read", async () => {
    bench.expectError(
      await bench.send({ apiKey: undefined, query: `&api_key=${bench.key.apiKey}` }),
      "missing_api_key",
    );
  });

  test("X-API-Key and a lower-case bearer are taken too", async () => {
    const headers = { "X-API-Key": bench.key.apiKey };
    expect((await bench.send({ apiKey: undefined, headers })).status).toBe(200);
    const lower = { authorization: `bearer ${bench.key.apiKey}` };
    expect((await bench.send({ apiKey: undefined, headers: lower })).status).toBe(200);
  });

  test("a key nobody made is invalid", async () => {
    bench.expectError(await bench.send({ apiKey: newApiKey() }), "invalid_api_key");
  });

  test("a key with a wrong checksum is invalid", async () => {
    const last = bench.key.apiKey.endsWith("a") ? "b" : "a";
    bench.expectError(
      await bench.send({ apiKey: bench.key.apiKey.slice(0, -1) + last }),
      "invalid_api_key",
    );
  });

  test("another store's key is invalid, and told like an unknown one", async () => {
    const other = await bench.house.key(await bench.house.store());
    const answer = await bench.send({ apiKey: other.apiKey });
    bench.expectError(answer, "invalid_api_key");
    expect(answer.body["message"]).toBe(errorTable.invalid_api_key.en);
  });

  test.each([
    ["disabled", { status: "disabled" }],
    ["revoked", { status: "revoked" }],
    ["expired", { expiresAt: new Date(Date.now() - 1000) }],
  ] as const)("a key that is %s is invalid", async (_name, options) => {
    bench.expectError(
      await bench.send({ apiKey: (await bench.house.key(bench.store, options)).apiKey }),
      "invalid_api_key",
    );
  });

  test("a key that was used a moment ago is refused as soon as its revocation was rung", async () => {
    const fresh = await bench.house.key(bench.store);
    expect((await bench.send({ apiKey: fresh.apiKey })).status).toBe(200);
    await bench.house.database.query({
      text: "UPDATE instances SET status = 'revoked' WHERE id = $1",
      values: [fresh.instanceId],
    });
    const bus = await Bus.connect({
      url: natsUrl(),
      namespace: bench.house.namespace,
      name: "test",
    });
    bus.ring({ ring: "key", to: [fresh.instanceId] }, { instance_id: fresh.instanceId });
    await bus.close();
    const refused = async () => (await bench.send({ apiKey: fresh.apiKey })).status === 401;
    await waitFor(refused, { what: "the revoked key to be refused", deadlineMs: 2_000 });
  });
});

describe("rate, plan and credit", () => {
  test("a spent key is told how long to wait, and nothing is done", async () => {
    const slow = await bench.house.key(bench.store, { rate: 1 });
    expect((await bench.send({ apiKey: slow.apiKey })).status).toBe(200);
    const before = await bench.house.balance(bench.store);
    const answer = await bench.send({ apiKey: slow.apiKey });
    bench.expectError(answer, "rate_limited");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(55);
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(await bench.house.balance(bench.store)).toEqual(before);
  });

  test.each(["free", "starter"] as const)("plan %s has no Messaging API", async (plan) => {
    const small = await bench.house.store({ plan });
    const smallKey = await bench.house.key(small);
    bench.expectError(
      await bench.send({ store: small.slug, apiKey: smallKey.apiKey }),
      "plan_not_eligible",
    );
    const status = { store: small.slug, action: "status", apiKey: smallKey.apiKey };
    bench.expectError(await call(bench.gateway, status), "plan_not_eligible");
  });

  test("a plan that was upgraded a moment ago counts at once", async () => {
    const small = await bench.house.store({ plan: "starter" });
    const apiKey = (await bench.house.key(small)).apiKey;
    bench.expectError(
      await call(bench.gateway, { store: small.slug, action: "status", apiKey }),
      "plan_not_eligible",
    );
    await bench.house.database.query({
      text: "UPDATE stores SET plan = 'enterprise' WHERE id = $1",
      values: [small.id],
    });
    expect(
      (await call(bench.gateway, { store: small.slug, action: "status", apiKey })).status,
    ).toBe(200);
  });

  test("an inactive store and one out of credit can't send, but can read", async () => {
    for (const options of [
      { status: "inactive" },
      { credits: 0 },
      { credits: 0.999999 },
    ] as const) {
      const poor = await bench.house.store(options);
      const apiKey = (await bench.house.key(poor)).apiKey;
      await bench.house.connection(poor);
      bench.expectError(await bench.send({ store: poor.slug, apiKey }), "insufficient_balance");
      expect(
        (await call(bench.gateway, { store: poor.slug, action: "status", apiKey })).status,
      ).toBe(200);
    }
  });
});

describe("Idempotency-Key", () => {
  test("the same key with another body is a mismatch", async () => {
    const headers = { "Idempotency-Key": "mismatch" };
    expect((await bench.send({ headers })).status).toBe(200);
    bench.expectError(
      await bench.send({ headers, body: { ...hello, message: "other" } }),
      "idempotency_mismatch",
    );
  });

  test("a key whose first request is not decided yet is in progress", async () => {
    let answer: Answer | undefined;
    await bench.house.database
      .transaction(async (transaction) => {
        await transaction.query({
          text: "INSERT INTO idempotency_keys (store_id, instance_id, key, fingerprint, message_id, answer) VALUES ($1, $2, 'open', $3, gen_random_uuid(), '{}')",
          values: [bench.store.id, bench.key.instanceId, fingerprint(hello)],
        });
        answer = await bench.send({ headers: { "Idempotency-Key": "open" } });
        throw new Error("give up");
      })
      .catch(() => {});
    bench.expectError(answer as Answer, "idempotency_in_progress");
    expect(answer?.headers.get("retry-after")).toBe("1");
    expect((await bench.send({ headers: { "Idempotency-Key": "open" } })).status).toBe(200);
  });

  test.each(["", '""', "x".repeat(256)])("the key %j is not one", async (name) => {
    const answer = await bench.send({ headers: { "Idempotency-Key": name } });
    bench.expectError(answer, "invalid_request");
    expect(answer.body["details"]).toMatchObject([{ path: "Idempotency-Key" }]);
  });

  test("what is wrong with a key is judged with the body, after the store", async () => {
    const idle = await bench.house.store({ status: "inactive" });
    const apiKey = (await bench.house.key(idle)).apiKey;
    bench.expectError(
      await bench.send({ store: idle.slug, apiKey, headers: { "Idempotency-Key": '""' } }),
      "insufficient_balance",
    );
  });
});

describe("what is not there", () => {
  test("a path that is not the API's, and a store's name of the wrong shape", async () => {
    for (const path of [
      "/",
      "/api/messaging/?action=send",
      `/${bench.store.slug}/api/message?action=send`,
      `/${bench.store.slug}/api/messaging/x?action=send`,
      "/a%2Fb/api/messaging?action=send",
    ]) {
      const answer = await fetch(`${bench.gateway.url}${path}`, { method: "POST" });
      expect([answer.status, await errorOf(answer)], path).toEqual([404, "not_found"]);
    }
  });

  test("an id that is none, and one of another kind", async () => {
    for (const id of [
      "x",
      "msg_",
      "evt_01J0000000000000000000000A",
      "msg_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ]) {
      for (const action of ["message", "cancel"])
        bench.expectError(
          await call(bench.gateway, {
            store: bench.store.slug,
            action,
            apiKey: bench.key.apiKey,
            query: `&id=${id}`,
          }),
          "not_found",
        );
    }
  });
});

test("the table's text is Arabic for those who ask for it, the code stays", async () => {
  const answer = await bench.send({
    apiKey: undefined,
    headers: { "Accept-Language": "ar-IQ,ar;q=0.9" },
  });
  bench.expectError(answer, "missing_api_key");
  expect(answer.body["message"]).toBe(errorTable.missing_api_key.ar);
});

test("a caller's plain request id is kept, another one is replaced", async () => {
  expect(
    (await bench.send({ headers: { "X-Request-Id": "order-7.1" } })).headers.get("x-request-id"),
  ).toBe("order-7.1");
  expect(
    (await bench.send({ headers: { "X-Request-Id": "a b" } })).headers.get("x-request-id"),
  ).toMatch(/^req_[0-9A-Z]{26}$/);
});

async function errorOf(response: Response): Promise<unknown> {
  return ((await response.json()) as Record<string, unknown>)["error"];
}
