// Canaries: secrets and a customer's words are found in no log at debug, no metric, no error body and no process list.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { listProcesses } from "./fixtures/processes.ts";

const layla = { id: 700000002, firstName: "ليلى", username: "layla", languageCode: "ar" };
const outgoing = "canary-outgoing-4711";
const incoming = "canary-incoming-4712";

let folder: string;
let telegram: TelegramStandIn;
let sink: WebhookSink;
let house: Child;
let admin: AdminClient;
/** Every secret by the name under which a finding is told. */
const canaries = new Map<string, string>();
const shown: { where: string; text: string }[] = [];

beforeAll(async () => {
  folder = await makeFolder();
  [telegram, sink] = await Promise.all([
    startTelegramStandIn({ people: [layla] }),
    startWebhookSink(),
  ]);
  house = await startChild({
    folder,
    environment: { TELEGRAM_API_URL: telegram.url, LOG_LEVEL: "debug" },
  });
  admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  await useEverything();
});

afterAll(async () => {
  await house?.stop();
  await telegram?.close();
  await sink?.close();
  await removeFolder(folder);
});

test("the house was used, failed and logged enough for the canaries to sing", () => {
  expect(house.output().length).toBeGreaterThan(500);
  expect(shown.filter(({ where }) => where.startsWith("error body"))).not.toEqual([]);
  expect([...canaries.keys()].toSorted()).toEqual([
    "API key",
    "admin token",
    "bot token",
    "customer's text",
    "dead bot token",
    "master key",
    "message text",
    "sandbox key",
    "webhook secret",
  ]);
});

test("the metrics are those of every app, told once each", async () => {
  const text = await (await fetch(`${house.url}/metrics`)).text();
  for (const name of [
    "thikaa_messaging_answer_seconds_count",
    "thikaa_inbound_finished_total",
    "thikaa_events_numbered_total",
    "process_cpu_user_seconds_total",
  ])
    expect(text).toContain(name);
  const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(told).toEqual([...new Set(told)]);
});

test("no canary is in a log, a metric, an error body or a process list", async () => {
  const places = [
    ...shown,
    { where: "log", text: house.output() },
    { where: "metrics", text: await (await fetch(`${house.url}/metrics`)).text() },
  ];
  for (const { pid, commandLine } of await listProcesses()) {
    if (commandLine.includes(folder) || pid === house.process.pid)
      places.push({ where: `command line of ${pid}`, text: commandLine });
  }
  const found = places.flatMap(({ where, text }) =>
    [...canaries]
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => `${name} in ${where}`),
  );
  expect(found).toEqual([]);
});

/** Sends, receives, fails in every way at hand, and gathers what the house showed. */
async function useEverything(): Promise<void> {
  canaries
    .set("admin token", await house.adminToken())
    .set("sandbox key", await house.sandboxKey());
  canaries.set(
    "master key",
    String(
      (
        JSON.parse(await readFile(join(house.dataDir, "secrets.json"), "utf8")) as {
          masterKey: string;
        }
      ).masterKey,
    ).replace(/^k1:/, ""),
  );
  canaries.set("message text", outgoing).set("customer's text", incoming);
  await admin.request("POST", "/stores", { slug: "basra", plan: "professional", credits: 100 });
  const key = (await admin.request("POST", "/stores/basra/keys", {
    name: "own",
    channels: ["tg"],
    webhook: sink.url,
  })) as { api_key: string; webhook_secret: string };
  canaries
    .set("API key", key.api_key)
    .set("webhook secret", key.webhook_secret.replace("whsec_", ""));
  const [bot, dying] = [
    telegram.addBot({ username: "canary_bot" }),
    telegram.addBot({ username: "dying_bot" }),
  ];
  canaries.set("bot token", bot.token).set("dead bot token", dying.token);
  for (const { id } of [bot, dying]) telegram.openChat({ personId: layla.id, botId: id });
  await admin.request("POST", "/stores/basra/connections", {
    channel: "tg",
    name: "Shop",
    credentials: { token: bot.token },
  });
  await admin.request("POST", "/stores/basra/connections", {
    channel: "tg",
    name: "Dying",
    credentials: { token: dying.token },
  });
  await failEverywhere(key.api_key, bot.token);
  telegram.faults.add({ kind: "server_error", method: "sendMessage", times: 1 });
  telegram.faults.add({ kind: "reset_before_accept", method: "getUpdates", times: 1 });
  telegram.revokeToken(dying.id);
  sink.answerNext({ status: 500, body: incoming });
  await call(key.api_key, { channel: "tg", to: layla.id, message: outgoing });
  telegram.personSays({ personId: layla.id, botId: bot.id, text: incoming });
  await waitFor(
    () => telegram.messagesWith(layla.id, bot.id).some(({ wire }) => wire.text === outgoing),
    { what: "the message" },
  );
  await waitFor(() => sink.received.length >= 2, {
    what: "the webhook's second try",
    deadlineMs: 20_000,
  });
}

async function failEverywhere(apiKey: string, token: string): Promise<void> {
  const errors = [
    await call(`${apiKey.slice(0, -1)}!`, { channel: "tg", to: layla.id, message: outgoing }),
    await call(apiKey, { channel: "tg", to: layla.id, mesage: outgoing }),
    await call(apiKey, `{"message":"${outgoing}`),
    await call(apiKey, { channel: "wd", to: "123", message: outgoing }),
    await (
      await fetch(`${house.url}/api/admin/v1/stores/demo/connections`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${await house.adminToken()}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ channel: "tg", name: "real", credentials: { token } }),
      })
    ).text(),
    await (
      await fetch(`${house.url}/api/admin/v1/stores/basra/connections`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${await house.adminToken()}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ channel: "tg", name: "twice", credentials: { token } }),
      })
    ).text(),
    await (
      await fetch(`${house.url}/hooks/tg/con_00000000000000000000000000`, {
        method: "POST",
        body: incoming,
      })
    ).text(),
    await (await fetch(`${house.url}/bot${token}/getMe`)).text(),
  ];
  for (const [index, text] of errors.entries()) shown.push({ where: `error body ${index}`, text });
}

async function call(apiKey: string, body: unknown): Promise<string> {
  const response = await fetch(`${house.url}/basra/api/messaging/?action=send`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return response.text();
}
