// The command line as a person and a program use it: a child process against a running console.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, toWireId } from "@thikaa/schema";
import { verifyWebhook } from "@thikaa/sdk";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, openHouse, ownNextConnection, receive, start } from "./fixtures/house.ts";
import type { House } from "./fixtures/house.ts";

const token = "7100200300:AAcanary_bot_token_canary_bot_token";
const main = join(import.meta.dirname, "main.ts");
let house: House;
let storeId: string;
let connectionId: string;
beforeAll(async () => {
  house = await openHouse();
  await house.thikaa("store", "create", "shop", "--credits", "10");
});
afterAll(() => house.close());

test("a store is made, credited, listed and shown, for people and as JSON", async () => {
  expect(
    await house.thikaa("store", "create", "second", "--plan", "enterprise", "--name", "متجر"),
  ).toMatchObject({ code: 0, stdout: expect.stringContaining("متجر"), stderr: "" });
  expect((await house.thikaa("store", "credit", "second", "2.5")).stdout).toBe(
    "second has 2.5 credits now.\n",
  );
  expect(
    JSON.parse((await house.thikaa("store", "show", "second", "--json")).stdout),
  ).toMatchObject({ slug: "second", plan: "enterprise", balance: 2.5 });
  expect((await house.thikaa("store", "list")).stdout).toMatch(/^STORE\s+NAME\s+PLAN[\s\S]*second/);
  expect(await house.thikaa("store", "credit", "second", "-9")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("can't fall below 0"),
  });
});

test("a key's secrets are printed once, as one JSON object with --json", async () => {
  const made = await house.thikaa(
    "key",
    "create",
    "--store",
    "shop",
    "--name",
    "app",
    "--channels",
    "tg,wd",
    "--webhook",
    "http://127.0.0.1:9/hook",
    "--rate",
    "5",
    "--json",
  );
  const key = JSON.parse(made.stdout) as Record<string, string>;
  expect(Object.keys(key)).toEqual(["instance_id", "api_key", "webhook_secret"]);
  const listed = await house.thikaa("key", "list", "--store", "shop");
  expect(listed.stdout).toContain(key["instance_id"]);
  expect(listed.stdout).not.toContain(key["api_key"]);
  expect((await house.thikaa("key", "disable", key["instance_id"] ?? "")).stdout).toBe(
    `${key["instance_id"]} is disabled now.\n`,
  );
  expect((await house.thikaa("key", "enable", key["instance_id"] ?? "")).code).toBe(0);
  expect((await house.thikaa("key", "change", key["instance_id"] ?? "", "--no-webhook")).code).toBe(
    0,
  );
});

test("connection add prints the account, waits for the first message and tells who wrote, with a curl that answers", async () => {
  const child = house.begin(
    ["connection", "add", "tg", "--store", "shop", "--name", "main", "--set", "token=-"],
    `${token}\n`,
  );
  ({ id: connectionId, storeId } = await ownNextConnection(house, {
    state: "connected",
    address: "7100200300",
  }));
  await waitFor(() => child.output.stdout.includes("Write to https://t.me/shopbot now"), {
    what: "the invitation to write",
  });
  expect(child.output.stdout).toMatch(/called\s+Shop Bot/);
  await receive(house, {
    storeId,
    connectionId: newId(),
    from: "1",
    name: "Somebody else",
    text: "to another connection",
  });
  await receive(house, {
    storeId,
    connectionId,
    from: "700000001",
    name: "زينب\u001B[2J",
    text: "مرحبا",
  });
  expect(await child.ended).toBe(0);
  expect(child.output.stdout).toContain("زينب [2J (700000001) wrote: مرحبا");
  expect(child.output.stdout).toContain(
    `curl -X POST "${house.url}/shop/api/messaging/?action=send"`,
  );
  expect(child.output.stdout).toContain('{"channel":"tg","to":"700000001","message":"Hello!"}');
  expect(child.output.stdout + child.output.stderr).not.toContain(token);
  expect(child.process.spawnargs.join(" ")).not.toContain(token);
});

test("Ctrl-C ends the waiting cleanly, and the connection stays", async () => {
  const child = house.begin(
    ["connection", "add", "tg", "--store", "shop", "--name", "second", "--set", "token=x"],
    "",
  );
  const { id } = await ownNextConnection(house, { state: "connected", address: "2" });
  await waitFor(() => child.output.stdout.includes("Write to"), {
    what: "the invitation to write",
  });
  child.process.kill("SIGINT");
  expect(await child.ended).toBe(0);
  expect(child.output.stdout).toContain("No longer waiting; the connection stays.");
  expect((await house.thikaa("connection", "remove", toWireId("connection", id))).code).toBe(0);
});

test("with --json connection add never waits", async () => {
  const child = house.begin(
    ["connection", "add", "tg", "--store", "shop", "--name", "third", "--set", "token=x", "--json"],
    "",
  );
  const { id } = await ownNextConnection(house, { state: "connected", address: "3" });
  expect(await child.ended).toBe(0);
  expect(JSON.parse(child.output.stdout)).toMatchObject({
    id: toWireId("connection", id),
    channel: "tg",
    name: "third",
    address: "3",
    state: "connected",
    next: expect.any(String),
  });
});

test("credentials that the provider refuses end with its words and exit code 1; mistyped fields are named", async () => {
  const child = house.begin(
    ["connection", "add", "tg", "--store", "shop", "--name", "bad", "--set", "token=x"],
    "",
  );
  await ownNextConnection(house, {
    state: "attention",
    reason: { code: "unauthorized", message: "The provider says that this token is not valid." },
  });
  expect(await child.ended).toBe(1);
  expect(child.output).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining("The provider says that this token is not valid."),
  });
  expect(
    (
      await house.thikaa(
        "connection",
        "add",
        "tg",
        "--store",
        "shop",
        "--name",
        "bad",
        "--set",
        "tokn=x",
      )
    ).stderr,
  ).toContain("Did you mean 'token'?");
});

test("listen forwards what comes in, signed with the secret it printed, also after the house was away", async () => {
  const sink = await startWebhookSink();
  const child = house.begin([
    "listen",
    "--store",
    "shop",
    "--forward",
    `${sink.url}/hook`,
    "--json",
  ]);
  const secret = await waitFor(() => /whsec_\S+/.exec(child.output.stderr)?.[0], {
    what: "the session's secret",
  });
  const keys = JSON.parse(
    (await house.thikaa("key", "list", "--store", "shop", "--json")).stdout,
  ) as { keys: { instance_id: string }[] };
  await receive(house, {
    storeId,
    connectionId,
    from: "700000001",
    name: "زينب",
    text: "كم السعر؟",
  });
  const [first] = await sink.waitFor(1);
  if (first === undefined) throw new Error("nothing was forwarded");
  expect(
    verifyWebhook({ body: first.body, headers: first.headers as Record<string, string>, secret }),
  ).toMatchObject({
    event: "message.received",
    instance_id: keys.keys[0]?.instance_id,
    data: { message: "كم السعر؟" },
  });
  const {
    "webhook-id": _id,
    "webhook-timestamp": _time,
    "webhook-signature": _signature,
    ...mission
  } = first.headers;
  expect(
    verifyWebhook({ body: first.body, headers: mission as Record<string, string>, secret }),
  ).toMatchObject({ event: "message.received" });
  await house.stopConsole();
  await receive(house, {
    storeId,
    connectionId,
    from: "700000001",
    name: "زينب",
    text: "while away",
  });
  await house.startConsole();
  await sink.waitFor(2, 15_000);
  child.process.kill("SIGINT");
  expect(await child.ended).toBe(0);
  const lines = child.output.stdout
    .trim()
    .split("\n")
    .map(
      (line) => JSON.parse(line) as { data: { message: string }; forwarded: { status: number } },
    );
  expect(lines.map((line) => [line.data.message, line.forwarded.status])).toEqual([
    ["كم السعر؟", 200],
    ["while away", 200],
  ]);
  await sink.close();
});

test("message tells the timeline, messages lists", async () => {
  const id = newId();
  await house.database.query({
    text: `INSERT INTO messages (store_id, id, direction, origin, connection_id, channel, address, type, content, status, final, reason, price_micro)
           VALUES ($1, $2, 'out', 'api', $3, 'tg', '700000001', 'text', '{}', 'failed', true, $4, 1000000)`,
    values: [
      storeId,
      id,
      connectionId,
      JSON.stringify({
        code: "blocked",
        message: "The person blocked the bot.",
        provider_code: "403",
        provider_message: "Forbidden",
      }),
    ],
  });
  const wire = toWireId("message", id);
  const told = await house.thikaa("message", wire);
  expect(told.stdout).toMatch(/\d\d:\d\d:\d\d {2}accepted for 700000001, 1 credits taken/);
  expect(told.stdout).toContain("The person blocked the bot.");
  expect(
    (await house.thikaa("messages", "--store", "shop", "--failed", "--since", "1h")).stdout,
  ).toContain(wire);
  expect(
    JSON.parse(
      (await house.thikaa("messages", "--store", "shop", "--failed", "--since", "1h", "--json"))
        .stdout,
    ),
  ).toMatchObject({ messages: [{ message_id: wire }], has_more: false });
  expect(await house.thikaa("message", "msg_1")).toMatchObject({ code: 1, stdout: "" });
});

test("status shows the house; doctor is content with it and fails when a connection needs a person", async () => {
  expect((await house.thikaa("status")).stdout).toMatch(/connections\s+2 connected/);
  await house.database.query({
    text: `INSERT INTO workers (id, role, host, pool, expires_at)
           SELECT uuidv7(), role, 'here', 6, now() + interval '1 hour' FROM unnest(ARRAY['gateway', 'inbox', 'webhooks']) AS role`,
  });
  expect(await house.thikaa("doctor")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ok {4}workers: .*channel × /),
  });
  await house.database.query({
    text: `UPDATE connections SET state = 'attention', reason = '{"code":"unauthorized","message":"The token is dead."}' WHERE id = $1`,
    values: [connectionId],
  });
  expect(await house.thikaa("doctor")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/FAIL {2}connections: .*The token is dead\.\n {6}→ Give the/),
  });
  const report = JSON.parse((await house.thikaa("doctor", "--json")).stdout) as {
    healthy: boolean;
    checks: { ok: boolean; name: string }[];
  };
  expect(report.healthy).toBe(false);
  expect(report.checks.filter((check) => !check.ok).map((check) => check.name)).toEqual([
    "connections",
  ]);
});

test("a command that was written wrongly ends with exit code 2 and words on stderr alone", async () => {
  expect(await house.thikaa("store", "create", "x", "--credts", "5")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("Did you mean --credits?"),
  });
  expect(await house.thikaa("--help")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("connection add <channel>"),
    stderr: "",
  });
});

test("the token is taken from the data folder when the environment has none; without one it says what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thikaa-cli-"));
  const words = ["--conditions=source", main, "store", "list"];
  const without = start(words, { THIKAA_URL: house.url, THIKAA_DATA_DIR: folder });
  expect(await without.ended).toBe(1);
  expect(without.output.stderr).toContain("No admin token");
  await writeFile(join(folder, "secrets.json"), JSON.stringify({ adminToken }));
  const found = start(words, { PORT: new URL(house.url).port, THIKAA_DATA_DIR: folder });
  expect(await found.ended).toBe(0);
  const wrong = start(words, { THIKAA_URL: house.url, THIKAA_ADMIN_TOKEN: "wrong" });
  expect(await wrong.ended).toBe(1);
  expect(wrong.output.stderr).toContain("does not accept the admin token from THIKAA_ADMIN_TOKEN");
  const nowhere = start(words, { THIKAA_URL: "http://127.0.0.1:1", THIKAA_ADMIN_TOKEN: "wrong" });
  expect(await nowhere.ended).toBe(1);
  expect(nowhere.output.stderr).toContain("Nothing answers at http://127.0.0.1:1");
  await rm(folder, { recursive: true });
});
