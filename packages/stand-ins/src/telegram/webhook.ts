// The webhook of one bot: setWebhook, deleteWebhook and getWebhookInfo.
import { isIP } from "node:net";
import type { Clock } from "../clock.ts";
import { badRequest, tooManyRequests } from "./api-error.ts";
import type { CallArguments } from "./call-arguments.ts";
import type { Poller } from "./poller.ts";
import type { QueuedUpdate, UpdateQueue } from "./update-queue.ts";
import { createWebhookTarget } from "./webhook-request.ts";
import { WebhookSender } from "./webhook-sender.ts";
import type { WebhookAttempt } from "./webhook-sender.ts";

/** What the webhook needs from its bot. */
export interface WebhookHost {
  clock: Clock;
  queue: UpdateQueue;
  poller: Poller;
  attempted: (attempt: WebhookAttempt) => void;
  execute: (method: string, parameters: Record<string, unknown>) => void;
}

interface WebhookSettings {
  url: string;
  secretToken: string;
  maxConnections: number;
  ipAddress: string;
  certificate: string | null;
}

/** An answer of true with the real server's remark. */
export interface RemarkedAnswer {
  result: true;
  description: string;
}

const SETTING_PAUSE_MS = 1000;
/** The real server's default, and its limit in `--local` mode. */
const DEFAULT_CONNECTIONS = 40;
const MOST_CONNECTIONS = 100_000;

/** The webhook side of one bot, with the rules of a `--local` server: http and any port are allowed. */
export class Webhook {
  readonly #host: WebhookHost;
  #settings: WebhookSettings | null = null;
  #sender: WebhookSender | null = null;
  #nextSetAt = 0;
  #lastError: { at: number; text: string } | null = null;

  constructor(host: WebhookHost) {
    this.#host = host;
  }

  /** Whether a URL is set: then getUpdates is refused. */
  get active(): boolean {
    return this.#settings !== null;
  }

  /** Hands a new update to the sender. */
  deliver(update: QueuedUpdate): void {
    this.#sender?.add(update);
  }

  /** setWebhook; an empty url removes it. */
  set(callArguments: CallArguments): RemarkedAnswer {
    const url = callArguments.text("url");
    if (url === "") return this.remove(callArguments);
    const now = this.#host.clock.now();
    if (now < this.#nextSetAt) throw tooManyRequests(1);
    this.#nextSetAt = now + SETTING_PAUSE_MS;

    const wanted = readSettings(callArguments);
    const drop = callArguments.boolean("drop_pending_updates");
    if (!drop && JSON.stringify(wanted) === JSON.stringify(this.#settings)) {
      this.#host.queue.allow(callArguments.json("allowed_updates"));
      return { result: true, description: "Webhook is already set" };
    }
    this.#host.poller.abort("terminated by setWebhook request");
    this.#clear();
    if (drop) this.#host.queue.clear();
    const target = checkedUrl(wanted);
    this.#host.queue.allow(callArguments.json("allowed_updates"));
    this.#start(wanted, target);
    return { result: true, description: "Webhook was set" };
  }

  /** deleteWebhook. */
  remove(callArguments: CallArguments): RemarkedAnswer {
    const wasActive = this.active;
    this.#clear();
    if (callArguments.boolean("drop_pending_updates")) this.#host.queue.clear();
    return {
      result: true,
      description: wasActive ? "Webhook was deleted" : "Webhook is already deleted",
    };
  }

  /** getWebhookInfo. */
  info(): Record<string, unknown> {
    const settings = this.#settings;
    const allowed = this.#host.queue.allowed;
    return {
      url: settings?.url ?? "",
      has_custom_certificate: settings !== null && settings.certificate !== null,
      pending_update_count: this.#host.queue.pending().length,
      ...(this.#lastError
        ? {
            last_error_date: Math.floor(this.#lastError.at / 1000),
            last_error_message: this.#lastError.text,
          }
        : {}),
      ...(settings ? { max_connections: settings.maxConnections } : {}),
      ...(settings && settings.ipAddress !== "" ? { ip_address: settings.ipAddress } : {}),
      ...(allowed ? { allowed_updates: allowed } : {}),
    };
  }

  /** Stops sending; the settings are forgotten too. */
  close(): void {
    this.#clear();
  }

  #start(settings: WebhookSettings, url: URL): void {
    const { clock, queue, attempted, execute } = this.#host;
    this.#settings = settings;
    this.#sender = new WebhookSender({
      target: createWebhookTarget(url, settings.secretToken, settings.certificate),
      maxConnections: settings.maxConnections,
      clock,
      done: (updateId) => queue.forget(updateId),
      attempted: (attempt) => {
        if (attempt.error !== null) this.#lastError = { at: attempt.at, text: attempt.error };
        attempted(attempt);
      },
      execute,
      gone: () => this.#clear(),
    });
    for (const update of queue.pending()) this.#sender.add(update);
  }

  #clear(): void {
    this.#sender?.close();
    this.#sender = null;
    this.#settings = null;
    this.#lastError = null;
  }
}

function readSettings(callArguments: CallArguments): WebhookSettings {
  const named = callArguments.text("certificate").replace(/^attach:\/\//, "");
  const file = callArguments.files.get("certificate") ?? callArguments.files.get(named);
  return {
    url: callArguments.text("url"),
    secretToken: callArguments.text("secret_token"),
    maxConnections: callArguments.integer("max_connections", DEFAULT_CONNECTIONS, {
      min: 1,
      max: MOST_CONNECTIONS,
    }),
    ipAddress: callArguments.text("ip_address"),
    certificate: file ? file.data.toString("utf8") : null,
  };
}

function checkedUrl(settings: WebhookSettings): URL {
  // Telegram takes an address without a scheme as https.
  const text = /^[a-z]+:\/\//i.test(settings.url) ? settings.url : `https://${settings.url}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !["http:", "https:"].includes(url.protocol))
    throw badRequest("invalid webhook URL specified");
  if (settings.secretToken.length > 256) throw badRequest("secret token is too long");
  if (!/^[\w-]*$/.test(settings.secretToken))
    throw badRequest("secret token contains unallowed characters");
  if (settings.ipAddress !== "") {
    if (isIP(settings.ipAddress) === 0)
      throw badRequest("bad webhook: Invalid IP address specified");
  }
  return url;
}
