// The sandbox: store `demo` with its key, a connection to each stand-in, and the simulator as its webhook. Made once, mended at every start.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Log } from "@thikaa/runtime";
import { channelCodes, eventTypes, sandboxStore } from "@thikaa/schema";
import { ThikaaError } from "@thikaa/sdk";
import type { AdminClient } from "@thikaa/sdk";
import { SHOP } from "@thikaa/simulator";
import type { SimulatorService } from "@thikaa/simulator";
import { z } from "zod";
import { readText, writeSecretText } from "./files.ts";
import { startLinking } from "./shop-phone.ts";

const credits = 100_000;
const keyName = "sandbox";
/** Above the default, so that trying things out by hand or by a loop does not meet the limit. */
const ratePerMinute = 600;
/** Nobody bans a number of the stand-in: what is tried out goes at once, to anybody. */
const shopCredentials = {
  phone: SHOP.number,
  pace_min_ms: "0",
  pace_max_ms: "0",
  daily_first_contacts: "0",
};
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
  readonly log: Log;
}

/**
 * Makes or mends the sandbox. Its key is written to `sandbox/key` (0600) once. The shop's phone is linked in the background;
 * resolves to what stops that.
 */
export async function openSandbox(parts: SandboxParts): Promise<() => Promise<void>> {
  const path = sandboxPath(parts);
  const stored = (await readSandbox(path)) ?? (await makeSandbox(parts, path));
  const sandbox = await pointWebhook(parts, stored, path);
  parts.simulator.registerWebhookSecret(sandboxStore, sandbox.webhookSecret);
  const connectionId = await connectStandIns(parts, sandbox);
  const { admin, simulator, log } = parts;
  return startLinking({ admin, whatsapp: simulator.whatsapp, connectionId, log });
}

/** The stand-in forgets its bots with its process; the house's connections do not. Before the apps start: they log in at once. */
export async function restoreBots(
  parts: Pick<SandboxParts, "dataDir" | "simulator">,
): Promise<void> {
  const sandbox = await readSandbox(sandboxPath(parts));
  if (sandbox !== null) addBot(parts.simulator, sandbox);
}

function addBot({ telegram }: SimulatorService, { botTokens }: StoredSandbox): void {
  telegram.addBot({ ...botName, token: botTokens.tg });
}

function sandboxPath({ dataDir }: Pick<SandboxParts, "dataDir">): string {
  return join(dataDir, "sandbox/sandbox.json");
}

/** `null` at the first start. */
async function readSandbox(path: string): Promise<StoredSandbox | null> {
  const text = await readText(path);
  return text === null ? null : storedSandbox.parse(JSON.parse(text));
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
  addBot(parts.simulator, sandbox);
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

/** Resolves to the id of WhatsApp's connection. */
async function connectStandIns(parts: SandboxParts, sandbox: StoredSandbox): Promise<string> {
  const { connections } = z
    .object({ connections: z.array(z.object({ id: z.string(), channel: z.string() })) })
    .parse(await parts.admin.request("GET", `stores/${sandboxStore}/connections`));
  const connect = async (channel: "tg" | "wd", credentials: object): Promise<string> => {
    const there = connections.find((connection) => connection.channel === channel);
    if (there !== undefined) return there.id;
    const added = await parts.admin.request("POST", `stores/${sandboxStore}/connections`, {
      channel,
      name: botName.name,
      credentials,
      sandbox: true,
    });
    return z.object({ id: z.string() }).parse(added).id;
  };
  const [whatsApp] = await Promise.all([
    connect("wd", shopCredentials),
    connect("tg", { token: sandbox.botTokens.tg }),
  ]);
  return whatsApp;
}

/** A token in Telegram's shape for a bot that exists only in the stand-in. */
function newBotToken(): string {
  return `7100200300:${randomBytes(26).toString("base64url")}`;
}
