// The client of one bot: grammY's Api over HTTP, with our time limits, without retries, and with errors that never hold the token.
import { Api, GrammyError, HttpError } from "grammy";
import type { ApiClientOptions } from "grammy";
import { z } from "zod";
import { agentFor } from "./agent.ts";
import { TelegramCallError } from "./errors.ts";
import type { TelegramRefusal, TelegramSilence } from "./errors.ts";
import { bot, wantedUpdates } from "./types.ts";
import type { TelegramBot } from "./types.ts";

/** A call must end before its owner's lease could run out unnoticed (15 s). */
const callSeconds = 12;
/** How long Telegram holds a poll open; the client waits a little longer. */
const pollSeconds = 25;
const pollPatienceSeconds = 40;

type Signal = NonNullable<Parameters<Api["getMe"]>[0]>;

export class TelegramClient {
  readonly #calls: Api;
  readonly #polls: Api;
  readonly #token: string;
  readonly #life: AbortSignal;

  /** Every call ends when `life` aborts. `baseUrl` has no slash at the end. */
  constructor(bot: { token: string; baseUrl: string; life: AbortSignal }) {
    this.#calls = new Api(bot.token, optionsFor(bot.baseUrl, callSeconds));
    this.#polls = new Api(bot.token, optionsFor(bot.baseUrl, pollPatienceSeconds));
    this.#token = bot.token;
    this.#life = bot.life;
  }

  /** Whose token it is. */
  async getMe(): Promise<TelegramBot> {
    const found = await this.#ask("getMe", () => this.#calls.getMe(toSignal(this.#life)));
    const parsed = bot.safeParse(found);
    if (!parsed.success)
      throw new TelegramCallError("getMe", { kind: "silent", code: "unreadable answer" });
    return parsed.data;
  }

  /** Sends a text as it is, without markup. Gives the message's id. */
  async sendText(message: {
    chatId: string;
    businessId: string | null;
    text: string;
  }): Promise<number> {
    const other = message.businessId === null ? {} : { business_connection_id: message.businessId };
    const sent = await this.#ask("sendMessage", () =>
      this.#calls.sendMessage(message.chatId, message.text, other, toSignal(this.#life)),
    );
    if (!Number.isInteger(sent.message_id))
      throw new TelegramCallError("sendMessage", { kind: "silent", code: "unreadable answer" });
    return sent.message_id;
  }

  async sendTyping(
    chat: { chatId: string; businessId: string | null },
    signal: AbortSignal,
  ): Promise<void> {
    const other = chat.businessId === null ? {} : { business_connection_id: chat.businessId };
    await this.#ask("sendChatAction", () =>
      this.#calls.sendChatAction(chat.chatId, "typing", other, toSignal(signal)),
    );
  }

  /** Waits for updates from `offset` on; all before it are forgotten by Telegram. */
  async getUpdates(offset: number | null, signal: AbortSignal): Promise<readonly unknown[]> {
    const parameters = {
      timeout: pollSeconds,
      allowed_updates: wantedUpdates,
      ...(offset === null ? {} : { offset }),
    };
    const updates = await this.#ask<unknown>("getUpdates", () =>
      this.#polls.getUpdates(parameters, toSignal(AbortSignal.any([signal, this.#life]))),
    );
    const list = z.array(z.unknown()).safeParse(updates);
    if (!list.success)
      throw new TelegramCallError("getUpdates", { kind: "silent", code: "unreadable answer" });
    return list.data;
  }

  async setWebhook(webhook: { url: string; secret: string }): Promise<void> {
    await this.#ask("setWebhook", () =>
      this.#calls.setWebhook(
        webhook.url,
        { secret_token: webhook.secret, allowed_updates: wantedUpdates },
        toSignal(this.#life),
      ),
    );
  }

  /** Updates that wait are kept. */
  async deleteWebhook(): Promise<void> {
    await this.#ask("deleteWebhook", () => this.#calls.deleteWebhook({}, toSignal(this.#life)));
  }

  async #ask<Result>(method: string, call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      // A new error without a cause: grammY's holds the URL, and the URL holds the token.
      throw new TelegramCallError(method, failureOf(error, this.#token));
    }
  }
}

function optionsFor(baseUrl: string, timeoutSeconds: number): ApiClientOptions {
  // A redirect would take the token somewhere else.
  const fetchConfig: Record<string, unknown> = {
    agent: agentFor(baseUrl),
    compress: true,
    redirect: "error",
  };
  return { apiRoot: baseUrl, timeoutSeconds, baseFetchConfig: fetchConfig };
}

/** grammY types its signal by another package; the platform's own is what it means. */
function toSignal(signal: AbortSignal): Signal {
  return signal as Signal;
}

function failureOf(error: unknown, token: string): TelegramRefusal | TelegramSilence {
  if (error instanceof GrammyError) {
    const { retry_after, migrate_to_chat_id } = error.parameters;
    return {
      kind: "refused",
      code: error.error_code,
      description: error.description.replaceAll(token, "[token]"),
      retryAfterSeconds: retry_after ?? null,
      migrateToChatId: migrate_to_chat_id ?? null,
    };
  }
  const inner: unknown = error instanceof HttpError ? error.error : error;
  return { kind: "silent", code: codeOf(inner) };
}

/** A short word for what went wrong, made of codes alone: messages hold the URL. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "unknown";
  if ("code" in error && typeof error.code === "string" && /^\w+$/.test(error.code))
    return error.code;
  if ("type" in error && typeof error.type === "string" && /^[\w-]+$/.test(error.type))
    return error.type;
  if (error instanceof Error && /timed out/.test(error.message)) return "timeout";
  return error instanceof Error && /^\w+$/.test(error.name) ? error.name : "unknown";
}
