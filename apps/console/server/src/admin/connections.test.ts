// Connections over the admin API, their owner played by what it really does: the row, an assignment and a ring.
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeChannel, ownNextConnection, startConsole, tableId } from "../fixtures/console.ts";
import type { Report, RunningConsole } from "../fixtures/console.ts";

const token = "7100200300:AAcanary_bot_token_canary_bot_token";
let running: RunningConsole;
beforeAll(async () => {
  running = await startConsole({ firstCheckMs: 3_000 });
  await describeChannel(running.database);
  await running.admin("POST", "/stores", { slug: "shop" });
  await running.admin("POST", "/stores", { slug: "demo", environment: "sandbox" });
});
afterAll(() => running.stop());

const post = (body: Record<string, unknown>, store = "shop") =>
  running.admin("POST", `/stores/${store}/connections`, {
    channel: "tg",
    name: "main",
    credentials: { token },
    ...body,
  });

async function add(report: Report, body: Record<string, unknown> = {}, store = "shop") {
  const [answer] = await Promise.all([post(body, store), ownNextConnection(running, report)]);
  return answer;
}

test("a connection is added, checked by its owner, and answered as soon as it is connected", async () => {
  const began = performance.now();
  const answer = await add({
    state: "connected",
    address: "bot-1",
    display: { name: "Shop Bot", link: "https://t.me/shopbot" },
  });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({
    channel: "tg",
    name: "main",
    address: "bot-1",
    default: true,
    environment: "live",
    state: "connected",
    reason: null,
    display: { name: "Shop Bot", link: "https://t.me/shopbot" },
  });
  expect(answer.body["next"]).toContain("Write to it");
  expect(performance.now() - began).toBeLessThan(2_500);
});

test("credentials and webhook secret are sealed in their places, and no answer or log shows them", async () => {
  const answer = await add({ state: "connected", address: "bot-2" }, { name: "second" });
  const id = tableId("connection", answer.body["id"]);
  const { rows } = await running.database.query<{
    credentials_sealed: string;
    webhook_secret_sealed: string;
  }>({
    text: "SELECT credentials_sealed, webhook_secret_sealed FROM connections WHERE id = $1",
    values: [id],
  });
  expect(
    JSON.parse(
      running.vault.open(rows[0]?.credentials_sealed ?? "", `connections|credentials|${id}`),
    ),
  ).toEqual({ token });
  expect(
    running.vault.open(rows[0]?.webhook_secret_sealed ?? "", `connections|webhook_secret|${id}`),
  ).toMatch(/^[\w-]{43}$/);
  const shown = JSON.stringify(
    (await running.admin("GET", `/connections/${answer.body["id"]}`)).body,
  );
  for (const place of [shown, JSON.stringify(answer.body), running.logged()]) {
    expect(place).not.toContain(token);
    expect(place).not.toContain("sealed");
  }
  expect(answer.body["default"]).toBe(false);
});

test("credentials that the provider refuses are 422 with its words, and nothing is kept", async () => {
  const answer = await add(
    {
      state: "attention",
      reason: { code: "unauthorized", message: "The provider says that this token is not valid." },
    },
    { name: "mistyped" },
  );
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({
    ok: false,
    error: "credentials_refused",
    message: "The provider says that this token is not valid.",
  });
  expect(
    (await running.database.query({ text: "SELECT 1 FROM connections WHERE name = 'mistyped'" }))
      .rows,
  ).toEqual([]);
});

test("an account that another connection has is 409, and the other one stays", async () => {
  const answer = await add(
    {
      state: "attention",
      reason: { code: "account_in_use", message: "Another connection already uses this account." },
    },
    { name: "twice" },
  );
  expect([answer.status, answer.body["error"], answer.body["message"]]).toEqual([
    409,
    "conflict",
    "Another connection already uses this account.",
  ]);
});

test("with no worker there the connection is kept, connecting, and the next step is told", async () => {
  const answer = await post({ name: "alone" });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ state: "connecting" });
  expect(answer.body["next"]).toContain("no worker of the channel 'tg'");
  await running.admin("DELETE", `/connections/${answer.body["id"]}`);
});

test.each([
  [{ credentials: {} }, "credentials.token", "missing"],
  [{ credentials: { token: " " } }, "credentials.token", "missing"],
  [{ credentials: { tokn: "x" } }, "credentials.tokn", "Did you mean 'token'?"],
  [{ credentials: { token: 5 } }, "credentials.token", "must be text"],
  [{ channel: "xx" }, "channel", "channel"],
])("a connection with %j is refused at %s", async (body, path, words) => {
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect(answer.body["details"]).toMatchObject([{ path, message: expect.stringContaining(words) }]);
});

test("a channel whose app never ran is a conflict in plain words", async () => {
  expect((await post({ channel: "wa", credentials: {} })).body).toMatchObject({
    error: "conflict",
    message: expect.stringContaining("has ever run"),
  });
});

test("the sandbox's store takes a stand-in's credentials only; a real one is refused with the commands to go on", async () => {
  const refused = await post({}, "demo");
  expect(refused.status).toBe(409);
  expect(refused.body["message"]).toContain("npm run -s thikaa -- store create my-shop");
  expect(refused.body["message"]).toContain(
    "connection add tg --store my-shop --name main --set token=-",
  );
  expect(refused.body["message"]).not.toContain(token);
  const seeded = await add({ state: "connected", address: "bot-1" }, { sandbox: true }, "demo");
  expect(seeded.body).toMatchObject({
    environment: "sandbox",
    state: "connected",
    address: "bot-1",
  });
  expect((await post({ sandbox: true })).status).toBe(409);
});

test("a connection whose worker has died is not called connected", async () => {
  const answer = await add({ state: "connected", address: "bot-dead" }, { name: "orphan" });
  const key = tableId("connection", answer.body["id"]);
  await running.database.query({
    text: "UPDATE workers SET expires_at = now() - interval '1 second' WHERE id = (SELECT worker FROM assignments WHERE key = $1)",
    values: [key],
  });
  expect((await running.admin("GET", `/connections/${answer.body["id"]}`)).body).toMatchObject({
    state: "recovering",
    reason: { code: "no_worker" },
  });
});

test("name, default and wish are changed with a ring; new credentials raise the revision", async () => {
  const answer = await add({ state: "connected", address: "bot-5" }, { name: "fifth" });
  const path = `/connections/${answer.body["id"]}`;
  const id = tableId("connection", answer.body["id"]);
  let rung = 0;
  const listener = running.bus.listen({ ring: "connection", to: [id] }, () => (rung += 1));
  await running.bus.flush();
  expect(
    (await running.admin("PATCH", path, { name: "renamed", default: true })).body,
  ).toMatchObject({ name: "renamed", default: true });
  const defaults = await running.database.query({
    text: "SELECT id FROM connections c WHERE is_default AND desired <> 'removed' AND store_id = (SELECT store_id FROM connections WHERE id = $1)",
    values: [id],
  });
  expect(defaults.rows).toEqual([{ id }]);
  const revision = async () =>
    (
      await running.database.query<{ revision: number }>({
        text: "SELECT revision FROM connections WHERE id = $1",
        values: [id],
      })
    ).rows[0]?.revision ?? 0;
  const before = await revision();
  expect((await running.admin("PATCH", path, { credentials: { token: "another" } })).status).toBe(
    200,
  );
  expect(await revision()).toBe(before + 1);
  expect((await running.admin("PATCH", path, { desired: "off" })).body).toMatchObject({
    desired: "off",
  });
  expect(await revision()).toBe(before + 2);
  expect((await running.admin("PATCH", path, { default: false })).status).toBe(400);
  await waitFor(() => rung === 3, { what: "three rings" });
  listener.close();
});

test("a removed connection is gone from every list, and the oldest left becomes the default", async () => {
  await running.admin("POST", "/stores", { slug: "two" });
  const first = await add({ state: "connected", address: "bot-6" }, { name: "a" }, "two");
  const second = await add({ state: "connected", address: "bot-7" }, { name: "b" }, "two");
  expect((await running.admin("DELETE", `/connections/${first.body["id"]}`)).body).toMatchObject({
    removed: true,
  });
  expect((await running.admin("GET", `/connections/${first.body["id"]}`)).status).toBe(404);
  expect((await running.admin("GET", "/connections?store=two")).body["connections"]).toMatchObject([
    { id: second.body["id"], default: true },
  ]);
  const reused = await add({ state: "connected", address: "bot-6" }, { name: "c" }, "two");
  expect(reused.status).toBe(201);
});
