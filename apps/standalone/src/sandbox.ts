// The sandbox: store `demo` with its key, a connection to each stand-in, and the simulator as its webhook. Made once, mended at every start.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { channelCodes, eventTypes, sandboxStore } from "@thikaa/schema";
import { ThikaaError } from "@thikaa/sdk";
import type { AdminClient } from "@thikaa/sdk";
import { ZAINAB } from "@thikaa/simulator";
import type { SimulatorService } from "@thikaa/simulator";
import { z } from "zod";
import { readText, writeSecretText } from "./files.ts";

const credits = 100_000;
const keyName = "sandbox";
/** Above the default, so that trying things out by hand or by a loop does not meet the limit. */
const ratePerMinute = 600;
const botName = { name: "متجر تجريبي · Demo shop", username: "thikaa_demo_bot" };

const storedSandbox = z.object({
  instanceId: z.string(),
  webhookSecret: z.string(),
  botTokens: z.object({ tg: z.string() }),
});
type StoredSandbox = z.infer<typeof storedSandbox>;

const madeKey = z.object({
  instance_id: z.string(),
  api_key: z.string(),
  webhook_secret: z.string(),
});
const changedKey = z.object({ webhook_secret: z.string().optional() });

export interface SandboxParts {
  readonly dataDir: string;
  readonly admin: AdminClient;
  readonly simulator: SimulatorService;
  /** Where this house is reached from this machine. */
  readonly url: string;
}

/** Makes or mends the sandbox. Its key is written to `sandbox/key` (0600) once. */
export async function openSandbox(parts: SandboxParts): Promise<void> {
  const path = join(parts.dataDir, "sandbox/sandbox.json");
  const text = await readText(path);
  const stored =
    text === null ? await makeSandbox(parts, path) : storedSandbox.parse(JSON.parse(text));
  const sandbox = await pointWebhook(parts, stored, path);
  parts.simulator.registerWebhookSecret(sandboxStore, sandbox.webhookSecret);
  openChats(parts.simulator, sandbox);
  await connectStandIns(parts, sandbox);
}

async function makeSandbox(parts: SandboxParts, path: string): Promise<StoredSandbox> {
  await makeStore(parts.admin);
  const made = madeKey.parse(
    await parts.admin.request("POST", `stores/${sandboxStore}/keys`, {
      name: keyName,
      channels: [...channelCodes],
      rate: ratePerMinute,
      webhook: webhookUrl(parts),
      events: [...eventTypes],
    }),
  );
  const sandbox = {
    instanceId: made.instance_id,
    webhookSecret: made.webhook_secret,
    botTokens: { tg: newBotToken() },
  };
  await writeSecretText(join(parts.dataDir, "sandbox/key"), `${made.api_key}\n`);
  await writeSandbox(path, sandbox);
  return sandbox;
}

/** A start that was killed half way may have left the store. */
async function makeStore(admin: AdminClient): Promise<void> {
  try {
    await admin.request("POST", "stores", {
      slug: sandboxStore,
      name: "Demo",
      environment: "sandbox",
      plan: "professional",
      credits,
    });
  } catch (error) {
    if (!(error instanceof ThikaaError && error.code === "conflict")) throw error;
  }
}

/** The port may be another one today. A webhook that had been disabled begins anew, with a new secret. */
async function pointWebhook(
  parts: SandboxParts,
  sandbox: StoredSandbox,
  path: string,
): Promise<StoredSandbox> {
  const changed = changedKey.parse(
    await parts.admin.request("PATCH", `keys/${sandbox.instanceId}`, {
      webhook: webhookUrl(parts),
      events: [...eventTypes],
    }),
  );
  if (changed.webhook_secret === undefined) return sandbox;
  const renewed = { ...sandbox, webhookSecret: changed.webhook_secret };
  await writeSandbox(path, renewed);
  return renewed;
}

function writeSandbox(path: string, sandbox: StoredSandbox): Promise<void> {
  return writeSecretText(path, `${JSON.stringify(sandbox, null, 2)}\n`);
}

function webhookUrl({ url }: SandboxParts): string {
  return `${url}/simulator/webhooks/${sandboxStore}`;
}

/** The stand-in forgets with its process; the house's connections do not, so it gets the same bot again. */
function openChats(simulator: SimulatorService, sandbox: StoredSandbox): void {
  const bot = simulator.telegram.addBot({ ...botName, token: sandbox.botTokens.tg });
  simulator.telegram.openChat({ personId: ZAINAB.id, botId: bot.id });
}

async function connectStandIns(parts: SandboxParts, sandbox: StoredSandbox): Promise<void> {
  const { connections } = z
    .object({ connections: z.array(z.object({ channel: z.string() })) })
    .parse(await parts.admin.request("GET", `stores/${sandboxStore}/connections`));
  if (connections.some(({ channel }) => channel === "tg")) return;
  await parts.admin.request("POST", `stores/${sandboxStore}/connections`, {
    channel: "tg",
    name: botName.name,
    credentials: { token: sandbox.botTokens.tg },
    sandbox: true,
  });
}

/** A token in Telegram's shape for a bot that exists only in the stand-in. */
function newBotToken(): string {
  return `7100200300:${randomBytes(26).toString("base64url")}`;
}
