// Two stores in one house: the sandbox talks to the stand-in, a live store to its own Telegram server; neither sees the other's token, and one's trouble is its own.
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";

const layla = { id: 700000002, firstName: "ليلى", username: "layla", languageCode: "ar" };

let folder: string;
let telegram: TelegramStandIn;
let house: Child;
let admin: AdminClient;
let apiKey: string;

interface Bot {
  readonly id: number;
  readonly token: string;
}

beforeAll(async () => {
  folder = await makeFolder();
  telegram = await startTelegramStandIn({ people: [layla] });
  house = await startChild({ folder, environment: { TELEGRAM_API_URL: telegram.url } });
  admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  await admin.request("POST", "/stores", { slug: "basra", plan: "professional", credits: 100 });
  apiKey = String(
    (
      (await admin.request("POST", "/stores/basra/keys", { name: "own", channels: ["tg"] })) as {
        api_key: unknown;
      }
    ).api_key,
  );
});

afterAll(async () => {
  await house?.stop();
  await telegram?.close();
  await removeFolder(folder);
});

test("a live store's bot talks to its own server, the sandbox's to the stand-in, and neither sees the other's token", async () => {
  const bot = newBot("basra_bot");
  const added = await addBot("Basra", bot.token);
  expect(added).toMatchObject({ state: "connected", address: String(bot.id) });
  const live = await send("basra", apiKey, { channel: "tg", to: layla.id, message: "أهلا ليلى" });
  const sandbox = await send("demo", await house.sandboxKey(), {
    channel: "tg",
    to: "700000001",
    message: "مرحبا زينب",
  });
  expect([live.status, sandbox.status]).toEqual([200, 200]);
  await waitFor(
    () => telegram.messagesWith(layla.id, bot.id).some(({ wire }) => wire.text === "أهلا ليلى"),
    { what: "the live store's message" },
  );
  await waitFor(async () => (await phoneState()).includes("مرحبا زينب"), {
    what: "the sandbox's message",
  });
  expect(await phoneState()).not.toContain("أهلا ليلى");
  // The record holds whoever called with whatever token; calls with a foreign token are kept without a bot.
  expect(new Set(telegram.record.calls({}).map(({ botId }) => botId))).toEqual(new Set([bot.id]));
});

test("a token used twice is refused, and the first connection goes on", async () => {
  const bot = newBot("twice_bot");
  await addBot("First", bot.token);
  await admin.request("POST", "/stores", { slug: "berlin", plan: "professional" });
  await expect(addBot("Second", bot.token, "berlin")).rejects.toThrow(/already|another/i);
  telegram.personSays({ personId: layla.id, botId: bot.id, text: "still there?" });
  await waitFor(async () => (await eventTexts("basra")).includes("still there?"), {
    what: "the first connection's inbound message",
  });
  expect(telegram.record.overlappingPolls(bot.id)).toBe(0);
});

test("a bot whose token dies goes to attention, its messages wait, and no other bot is harmed", async () => {
  const [dying, living] = [newBot("dying_bot"), newBot("living_bot")];
  const dead = await addBot("Dying", dying.token);
  const alive = await addBot("Living", living.token);
  telegram.revokeToken(dying.id);
  await waitFor(async () => (await stateOf(dead.id)) === "attention", {
    what: "the dead bot's state",
  });
  const waiting = await send("basra", apiKey, {
    channel: "tg",
    to: layla.id,
    message: "waits",
    connection_id: dead.id,
  });
  expect(waiting).toMatchObject({
    status: 200,
    body: { warnings: [{ code: "connection_not_connected" }] },
  });
  const going = await send("basra", apiKey, {
    channel: "tg",
    to: layla.id,
    message: "goes",
    connection_id: alive.id,
  });
  await waitFor(async () => (await messageStatus(going)) === "sent", {
    what: "the living bot's message",
  });
  expect(await messageStatus(waiting)).toBe("queued");
  expect(await stateOf(alive.id)).toBe("connected");
  const sandbox = await send("demo", await house.sandboxKey(), {
    channel: "tg",
    to: "700000001",
    message: "unharmed",
  });
  await waitFor(
    async () => (await messageStatus(sandbox, "demo", await house.sandboxKey())) === "sent",
    { what: "the sandbox's message" },
  );
});

function newBot(username: string): Bot {
  const bot = telegram.addBot({ username, name: username });
  telegram.openChat({ personId: layla.id, botId: bot.id });
  return bot;
}

async function addBot(
  name: string,
  token: string,
  store = "basra",
): Promise<{ id: string; state: string; address: string }> {
  return (await admin.request("POST", `/stores/${store}/connections`, {
    channel: "tg",
    name,
    credentials: { token },
  })) as { id: string; state: string; address: string };
}

async function send(
  store: string,
  key: string,
  body: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${house.url}/${store}/api/messaging/?action=send`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function read(store: string, key: string, query: string): Promise<Record<string, unknown>> {
  return (await (
    await fetch(`${house.url}/${store}/api/messaging/?${query}`, {
      headers: { Authorization: `Bearer ${key}` },
    })
  ).json()) as Record<string, unknown>;
}

async function messageStatus(
  sent: { body: Record<string, unknown> },
  store = "basra",
  key = apiKey,
): Promise<unknown> {
  return (await read(store, key, `action=message&id=${String(sent.body["message_id"])}`))["status"];
}

async function stateOf(connectionId: string): Promise<unknown> {
  const { connections } = (await read("basra", apiKey, "action=status")) as {
    connections: { id: string; state: string }[];
  };
  return connections.find(({ id }) => id === connectionId)?.state;
}

async function eventTexts(store: string): Promise<unknown[]> {
  const { events } = (await read(store, apiKey, "action=events&limit=100")) as {
    events: { data: { message?: string } }[];
  };
  return events.map(({ data }) => data.message);
}

async function phoneState(): Promise<string> {
  return (await fetch(`${house.url}/simulator/api/state`)).text();
}
