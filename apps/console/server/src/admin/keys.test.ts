// Keys: shown once, kept hashed and sealed, changed with a ring.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startConsole, tableId } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";
import { waitFor } from "@thikaa/testkit";

let running: RunningConsole;
beforeAll(async () => {
  running = await startConsole();
  await running.admin("POST", "/stores", { slug: "shop" });
});
afterAll(() => running.stop());

const create = async (body: Record<string, unknown>) =>
  (await running.admin("POST", "/stores/shop/keys", { name: "app", channels: ["tg"], ...body }))
    .body;

test("a new key answers with its secrets once; later only a hint is shown", async () => {
  const made = await create({
    channels: ["tg", "wd", "tg"],
    webhook: "http://127.0.0.1:9/hook",
    events: ["message.status"],
    rate: 5,
  });
  expect(made["instance_id"]).toMatch(/^ins_/);
  expect(made["api_key"]).toMatch(/^tk_live_/);
  expect(made["webhook_secret"]).toMatch(/^whsec_/);
  const listed = JSON.stringify((await running.admin("GET", "/stores/shop/keys")).body);
  expect(listed).toContain(String(made["instance_id"]));
  expect(listed).not.toContain(String(made["api_key"]));
  expect(listed).not.toContain(String(made["webhook_secret"]));
  expect(made["key"]).toMatchObject({
    channels: ["tg", "wd"],
    rate: 5,
    webhook: "http://127.0.0.1:9/hook",
    events: ["message.status"],
    status: "active",
  });
  expect(running.logged()).not.toContain(String(made["api_key"]));
});

test("the table holds the key's hash, and the webhook's secret sealed in its place", async () => {
  const made = await create({ webhook: "https://shop.example/hook" });
  const id = tableId("instance", made["instance_id"]);
  const { rows } = await running.database.query<{
    key_hash: Buffer;
    endpoint: string;
    secret_sealed: string;
  }>({
    text: "SELECT i.key_hash, e.id AS endpoint, e.secret_sealed FROM instances i JOIN endpoints e ON e.instance_id = i.id WHERE i.id = $1",
    values: [id],
  });
  expect(rows[0]?.key_hash.equals(running.vault.hashApiKey(String(made["api_key"])))).toBe(true);
  expect(
    running.vault.open(rows[0]?.secret_sealed ?? "", `endpoints|secret|${rows[0]?.endpoint}`),
  ).toBe(made["webhook_secret"]);
});

test.each([
  [{ channels: [] }, "channels"],
  [{ channels: ["telegram"] }, "channels.0"],
  [{ webhook: "ftp://shop.example/" }, "webhook"],
  [{ webhook: "https://admin:secret@shop.example/" }, "webhook"],
  [{ webhook: "http://10.0.0.1/" }, "webhook"],
  [{ rate: 0 }, "rate"],
  [{ expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
  [{ webhok: "https://shop.example/" }, "webhok"],
])("a key with %j is refused, naming %s", async (body, path) => {
  const answer = await create(body);
  expect(answer).toMatchObject({ error: "invalid_request", details: [{ path }] });
});

test("each change rings the key and shows", async () => {
  const made = await create({});
  const id = tableId("instance", made["instance_id"]);
  let rung = 0;
  const listener = running.bus.listen({ ring: "key", to: [id] }, () => (rung += 1));
  await running.bus.flush();
  expect(
    (await running.admin("PATCH", `/keys/${made["instance_id"]}`, { channels: ["wd"], rate: 7 }))
      .body["key"],
  ).toMatchObject({ channels: ["wd"], rate: 7, name: "app" });
  expect(
    (await running.admin("POST", `/keys/${made["instance_id"]}/disable`)).body["key"],
  ).toMatchObject({ status: "disabled" });
  expect(
    (await running.admin("POST", `/keys/${made["instance_id"]}/enable`)).body["key"],
  ).toMatchObject({ status: "active" });
  // The ring of its making may still come too.
  await waitFor(() => rung >= 3, { what: "three rings" });
  listener.close();
});

test("a webhook is added with a new secret, moved with its old one, and taken away", async () => {
  const made = await create({});
  expect(made["webhook_secret"]).toBeNull();
  const path = `/keys/${made["instance_id"]}`;
  expect((await running.admin("PATCH", path, { events: ["message.status"] })).body).toMatchObject({
    error: "invalid_request",
  });
  const added = (
    await running.admin("PATCH", path, {
      webhook: "https://shop.example/a",
      events: ["message.received", "message.status"],
    })
  ).body;
  expect(added["webhook_secret"]).toMatch(/^whsec_/);
  const moved = (await running.admin("PATCH", path, { webhook: "https://shop.example/b" })).body;
  expect(moved).not.toHaveProperty("webhook_secret");
  expect(moved["key"]).toMatchObject({
    webhook: "https://shop.example/b",
    events: ["message.received", "message.status"],
  });
  expect((await running.admin("PATCH", path, { webhook: null })).body["key"]).toMatchObject({
    webhook: null,
    events: [],
  });
  const again = (await running.admin("PATCH", path, { webhook: "https://shop.example/c" })).body;
  expect(again["webhook_secret"]).toMatch(/^whsec_/);
  expect(again["webhook_secret"]).not.toBe(added["webhook_secret"]);
});

test("a revoked key stays revoked and its webhook gets nothing more", async () => {
  const made = await create({ webhook: "https://shop.example/hook" });
  const path = `/keys/${made["instance_id"]}`;
  expect((await running.admin("POST", `${path}/revoke`)).body["key"]).toMatchObject({
    status: "revoked",
    webhook: null,
  });
  expect((await running.admin("POST", `${path}/revoke`)).status).toBe(200);
  expect((await running.admin("POST", `${path}/enable`)).body).toMatchObject({ error: "conflict" });
});

test("a key that is not there is 404 in plain words", async () => {
  expect((await running.admin("GET", "/keys/ins_1")).body).toMatchObject({ error: "not_found" });
});
