// From the sandbox to a real bot by the command line alone, as the guide tells it: every part of the house takes part.
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { verifyWebhook } from "@thikaa/sdk";
import { startTelegramStandIn } from "@thikaa/stand-ins";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { plainEnvironment } from "./fixtures/config.ts";

const script = join(import.meta.dirname, "../../cli/src/main.ts");
const layla = { id: 700000002, firstName: "ليلى", username: "layla", languageCode: "ar" };

let folder: string;
let telegram: TelegramStandIn;
let sink: WebhookSink;
let house: Child;
let bot: { id: number; token: string; username: string };
let apiKey: string;

beforeAll(async () => {
  folder = await makeFolder();
  [telegram, sink] = await Promise.all([
    startTelegramStandIn({ people: [layla] }),
    startWebhookSink(),
  ]);
  bot = telegram.addBot({ name: "Basra shop", username: "basra_shop_bot" });
  house = await startChild({ folder, environment: { TELEGRAM_API_URL: telegram.url } });
});

afterAll(async () => {
  await house?.stop();
  await telegram?.close();
  await sink?.close();
  await removeFolder(folder);
});

test("a store and a bot: the token is asked for, checked with Telegram, and the first person who writes is told with a ready curl", async () => {
  await thikaa("store", "create", "basra", "--plan", "professional", "--credits", "1000");
  const made = JSON.parse(
    (
      await thikaa(
        "key",
        "create",
        "--store",
        "basra",
        "--name",
        "own system",
        "--channels",
        "tg",
        "--json",
      )
    ).stdout,
  ) as { api_key: string };
  apiKey = made.api_key;
  const adding = begin(
    ["connection", "add", "tg", "--store", "basra", "--name", "Basra shop", "--set", "token=-"],
    `${bot.token}\n`,
  );
  await waitFor(() => adding.stdout().includes("https://t.me/basra_shop_bot"), {
    what: "the bot's link",
  });
  telegram.personSays({ personId: layla.id, botId: bot.id, text: "مرحبا" });
  expect(await adding.ended).toBe(0);
  expect(adding.stdout()).toContain("ليلى");
  expect(adding.stdout()).not.toContain(bot.token);
  const [curl] = /curl -X POST[\s\S]*?}'/.exec(adding.stdout()) ?? [];
  const { stdout } = await promisify(execFile)("bash", ["-c", String(curl)], {
    env: { ...plainEnvironment(), THIKAA_KEY: apiKey },
  });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, to: String(layla.id) });
  await waitFor(
    () => telegram.messagesWith(layla.id, bot.id).some(({ author }) => author === "bot"),
    { what: "the answer on her phone" },
  );
});

test("the same token for another store is refused with words and an exit code", async () => {
  await thikaa("store", "create", "berlin");
  const refused = begin(
    [
      "connection",
      "add",
      "tg",
      "--store",
      "berlin",
      "--name",
      "Twice",
      "--set",
      "token=-",
      "--no-wait",
    ],
    `${bot.token}\n`,
  );
  expect(await refused.ended).toBe(1);
  expect(refused.stderr()).toMatch(/already uses this account/);
});

test("listen shows what comes in and forwards it, signed with the secret it printed", async () => {
  const listening = begin(["listen", "--store", "basra", "--forward", sink.url]);
  const [secret] = await waitFor(
    () => /whsec_[A-Za-z0-9+/=]+/.exec(listening.stdout() + listening.stderr()),
    { what: "the secret" },
  );
  const seen = sink.received.length;
  await waitFor(
    () => {
      telegram.personSays({ personId: layla.id, botId: bot.id, text: "هل من جديد؟" });
      return sink.received.length > seen;
    },
    { what: "a forwarded event" },
  );
  const forwarded = sink.received[seen];
  const event = verifyWebhook({
    body: forwarded?.body ?? "",
    headers: (forwarded?.headers ?? {}) as Record<string, string>,
    secret: String(secret),
  });
  expect(event).toMatchObject({
    event: "message.received",
    data: { message: "هل من جديد؟", from: String(layla.id) },
  });
  listening.child.kill("SIGINT");
  await listening.ended;
});

test("message tells the story in plain words", async () => {
  const sent = await fetch(`${house.url}/basra/api/messaging/?action=send`, {
    method: "POST",
    headers: { "X-API-Key": apiKey, "Content-Type": "application/json" },
    body: JSON.stringify({ channel: "tg", to: layla.id, message: "نعم" }),
  });
  const { message_id } = (await sent.json()) as { message_id: string };
  await waitFor(
    async () => (await thikaa("message", message_id)).stdout.includes("Telegram took it"),
    { what: "the end of the story" },
  );
  const { stdout } = await thikaa("message", message_id);
  expect(stdout).toMatch(/accepted[\s\S]*handed to Telegram[\s\S]*took it/);
});

test("doctor is content with a house that works", async () => {
  const { stdout } = await thikaa("doctor");
  expect(stdout).not.toMatch(/✗/);
});

interface Running {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
}

function begin(words: readonly string[], input?: string): Running {
  const child = spawn("node", ["--conditions=source", script, ...words], {
    cwd: folder,
    env: { ...plainEnvironment(), PORT: String(house.port) },
  });
  const printed = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (printed.stderr += chunk.toString()));
  if (input !== undefined) child.stdin.end(input);
  return {
    child,
    ended: new Promise((resolve) => child.once("close", resolve)),
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
  };
}

async function thikaa(...words: string[]): Promise<{ stdout: string }> {
  const running = begin(words);
  if ((await running.ended) !== 0)
    throw new Error(`thikaa ${words.join(" ")}: ${running.stderr()}`);
  return { stdout: running.stdout() };
}
