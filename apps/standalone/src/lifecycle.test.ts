// The house's life: stopped, killed and started again on the same data, it loses nothing and leaves nobody behind.
import { AdminClient } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { listProcesses } from "./fixtures/processes.ts";

const layla = { id: 700000002, firstName: "ليلى", username: "layla", languageCode: "ar" };

let folder: string;
let telegram: TelegramStandIn;
let botId: number;
let apiKey: string;
let house: Child;

beforeAll(async () => {
  folder = await makeFolder();
  telegram = await startTelegramStandIn({ people: [layla] });
  const bot = telegram.addBot({ username: "shop_bot" });
  botId = bot.id;
  telegram.openChat({ personId: layla.id, botId });
  house = await open();
  const admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  await admin.request("POST", "/stores", { slug: "basra", plan: "professional", credits: 10_000 });
  apiKey = String(
    (
      (await admin.request("POST", "/stores/basra/keys", {
        name: "own",
        channels: ["tg"],
        rate: 100_000,
      })) as { api_key: unknown }
    ).api_key,
  );
  await admin.request("POST", "/stores/basra/connections", {
    channel: "tg",
    name: "Shop",
    credentials: { token: bot.token },
  });
});

afterEach(async () => {
  await house.stop("SIGKILL");
});

afterAll(async () => {
  await telegram?.close();
  // The last house was killed; its servers end by themselves a moment later.
  await waitFor(async () => (await left()).length === 0, {
    what: "the end of the killed house's servers",
  });
  await removeFolder(folder);
});

test("SIGTERM under load stops everything within 10 s; what was accepted arrives exactly once after the next start", async () => {
  telegram.faults.add({ kind: "delay", delayMs: 50, method: "sendMessage", times: "always" });
  const accepted = loadUntilStopped("term");
  await waitFor(() => sentTexts("term").length >= 3, { what: "the first messages" });
  const { code, ms } = await house.stop("SIGTERM");
  expect(code).toBe(0);
  expect(ms).toBeLessThan(10_000);
  expect(await left()).toEqual([]);
  telegram.faults.clear();
  const texts = await accepted;
  house = await open();
  expect(house.openedAfterMs).toBeLessThan(10_000);
  await waitFor(() => texts.every((text) => sentTexts("term").includes(text)), {
    what: "every accepted message",
    deadlineMs: 20_000,
  });
  expect(sentTexts("term").toSorted()).toEqual(texts.toSorted());
});

test("after kill -9 a start on the same folder, with another port, recovers by itself and delivers what was accepted", async () => {
  house = await open();
  const accepted = loadUntilStopped("kill");
  await waitFor(() => sentTexts("kill").length >= 3, { what: "the first messages" });
  await house.stop("SIGKILL");
  const texts = await accepted;
  house = await open();
  expect(house.openedAfterMs).toBeLessThan(10_000);
  await waitFor(() => texts.every((text) => sentTexts("kill").includes(text)), {
    what: "every accepted message",
    deadlineMs: 30_000,
  });
  const twice = sentTexts("kill").length - new Set(sentTexts("kill")).size;
  expect(twice).toBeLessThanOrEqual(await flagged());
});

test("Ctrl-C, which reaches the whole process group, stops everything as cleanly", async () => {
  house = await open();
  const { code } = await house.stop("SIGINT");
  expect(code).toBe(0);
  expect(await left()).toEqual([]);
});

test("when the launcher of npm start is killed, the house it started stops by itself", async () => {
  house = await startChild({
    folder,
    launched: true,
    environment: { TELEGRAM_API_URL: telegram.url },
  });
  await house.stop("SIGKILL");
  await waitFor(async () => (await left()).length === 0, {
    what: "the end of everything the launcher had started",
  });
});

test("a port that is taken is one clear line, and nothing stays behind", async () => {
  house = await open();
  const other = await makeFolder();
  await expect(startChild({ folder: other, port: house.port })).rejects.toThrow(
    /Port \d+ is taken by another program/,
  );
  expect((await listProcesses()).filter(({ commandLine }) => commandLine.includes(other))).toEqual(
    [],
  );
  await removeFolder(other);
});

function open(): Promise<Child> {
  return startChild({ folder, environment: { TELEGRAM_API_URL: telegram.url } });
}

/** Sends one after the other until the house no longer answers; resolves to the texts that were answered with 200. */
async function loadUntilStopped(word: string): Promise<string[]> {
  const accepted: string[] = [];
  for (let number = 1; number <= 500; number++) {
    const text = `${word} ${number}`;
    const response = await fetch(`${house.url}/basra/api/messaging/?action=send`, {
      method: "POST",
      headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ channel: "tg", to: layla.id, message: text }),
    }).catch(() => null);
    if (response === null) break;
    if (response.status === 200) accepted.push(text);
  }
  return accepted;
}

/** What the provider took, by its own record. */
function sentTexts(word: string): string[] {
  return telegram
    .messagesWith(layla.id, botId)
    .flatMap(({ author, wire }) =>
      author === "bot" && wire.text?.startsWith(`${word} `) ? [wire.text] : [],
    );
}

async function left(): Promise<string[]> {
  return (await listProcesses())
    .map(({ commandLine }) => commandLine)
    .filter((line) => line.includes(folder));
}

async function flagged(): Promise<number> {
  const response = await fetch(`${house.url}/basra/api/messaging/?action=events&limit=100`, {
    headers: { Authorization: `Bearer ${apiKey}` },
  });
  let body = (await response.json()) as {
    events: { data: { message_id: string; possible_duplicate?: boolean } }[];
    has_more: boolean;
    next_after: number;
  };
  const ids = new Set<string>();
  for (;;) {
    for (const { data } of body.events) if (data.possible_duplicate) ids.add(data.message_id);
    if (!body.has_more) return ids.size;
    body = (await (
      await fetch(
        `${house.url}/basra/api/messaging/?action=events&limit=100&after=${body.next_after}`,
        { headers: { Authorization: `Bearer ${apiKey}` } },
      )
    ).json()) as typeof body;
  }
}
