// The sandbox: store `demo` with its key, a connection to each stand-in, and the simulator as its webhook. Made once, mended at every start.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { sandboxStore } from "@thikaa/schema";
import { ZAINAB } from "@thikaa/simulator";
import type { SimulatorService } from "@thikaa/simulator";
import { z } from "zod";
import type { AdminClient } from "./admin-client.ts";
import { readText, writeSecretText } from "./files.ts";

const credits = 100_000;
const keyName = "sandbox";
/** Above the default, so that trying things out by hand or by a loop does not meet the limit. */
const ratePerMinute = 600;
const botName = { name: "متجر تجريبي · Demo shop", username: "thikaa_demo_bot" };

const storedSandbox = z.object({ instanceId: z.string(), webhookSecret: z.string(), botTokens: z.object({ tg: z.string() }) });
type StoredSandbox = z.infer<typeof storedSandbox>;

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
  const sandbox = text === null ? await makeSandbox(parts, path) : storedSandbox.parse(JSON.parse(text));
  const webhook = `${parts.url}/simulator/webhooks/${sandboxStore}`;
  await parts.admin.request("PATCH", `/keys/${sandbox.instanceId}`, { webhook });
  parts.simulator.registerWebhookSecret(sandboxStore, sandbox.webhookSecret);
  openChats(parts.simulator, sandbox);
  await connectStandIns(parts, sandbox);
}

async function makeSandbox(parts: SandboxParts, path: string): Promise<StoredSandbox> {
  await parts.admin.request("POST", "/stores", { slug: sandboxStore, name: "Demo", environment: "sandbox", plan: "professional", credits }, { allow: ["conflict"] });
  const webhook = `${parts.url}/simulator/webhooks/${sandboxStore}`;
  const made = z
    .object({ instance_id: z.string(), api_key: z.string(), webhook_secret: z.string() })
    .parse(await parts.admin.request("POST", `/stores/${sandboxStore}/keys`, { name: keyName, channels: ["wd", "wa", "tg", "fb", "ig", "tt"], rate: ratePerMinute, webhook, events: ["message.received", "message.status"] }));
  const sandbox = { instanceId: made.instance_id, webhookSecret: made.webhook_secret, botTokens: { tg: newBotToken() } };
  await writeSecretText(join(parts.dataDir, "sandbox/key"), `${made.api_key}\n`);
  await writeSecretText(path, `${JSON.stringify(sandbox, null, 2)}\n`);
  return sandbox;
}

/** The stand-in forgets with its process; the house's connections do not, so it gets the same bot again. */
function openChats(simulator: SimulatorService, sandbox: StoredSandbox): void {
  const bot = simulator.telegram.addBot({ ...botName, token: sandbox.botTokens.tg });
  simulator.telegram.openChat({ personId: ZAINAB.id, botId: bot.id });
}

async function connectStandIns(parts: SandboxParts, sandbox: StoredSandbox): Promise<void> {
  const { connections } = z.object({ connections: z.array(z.object({ channel: z.string() })) }).parse(await parts.admin.request("GET", `/stores/${sandboxStore}/connections`));
  if (connections.some(({ channel }) => channel === "tg")) return;
  await parts.admin.request("POST", `/stores/${sandboxStore}/connections`, { channel: "tg", name: botName.name, credentials: { token: sandbox.botTokens.tg }, sandbox: true });
}

/** A token in Telegram's shape for a bot that exists only in the stand-in. */
function newBotToken(): string {
  return `7100200300:${randomBytes(26).toString("base64url")}`;
}
