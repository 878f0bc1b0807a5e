// The client of one bot: grammY's Api over HTTP, with our time limits, without retries, and with errors that never hold the token.
import { Api, GrammyError, HttpError, InputFile } from "grammy";
import type { ApiClientOptions } from "grammy";
import { z } from "zod";
import { TelegramCallError } from "./errors.ts";
import type { TelegramRefusal } from "./errors.ts";
import { download } from "./download.ts";
import { mediaCalls, readSentMedia } from "./media-calls.ts";
import type { MediaCall, SentMedia } from "./media-calls.ts";
import { makePlainCall } from "./plain-calls.ts";
import type { PlainCall } from "./plain-calls.ts";
import { Patience } from "./patience.ts";
import type { TelegramSilence } from "./silence.ts";
import { CallsUnderWay } from "./under-way.ts";
import { transportFor } from "./transport.ts";
import { bot, filePath, sentMessage, wantedUpdates } from "./types.ts";
import type { TelegramBot } from "./types.ts";

/** A call must end before its owner's lease could run out unnoticed (15 s). */
const callMs = 12_000;
/** Telegram answers only when it has fetched a file from its address. */
const fetchMs = 30_000;
const uploadMs = 90_000;
/** How much longer than Telegram holds a poll open the client waits for its answer. */
const pollPatienceMs = 15_000;
/** grammY's own limit, never reached: it would cut off an answer that came while the process slept. */
const unusedLimitSeconds = 300;

type Signal = NonNullable<Parameters<Api["getMe"]>[0]>;

/** A file's bytes, read once, and its name. */
export interface FileUpload {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly name: string;
}

/** What a poll asks for. */
export interface Poll {
  /** The first update wanted; `null` takes whatever Telegram still keeps. */
  readonly offset: number | null;
  /** How long Telegram may hold the poll open. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export class TelegramClient {
  readonly #api: Api;
  readonly #token: string;
  readonly #baseUrl: string;
  readonly #life: AbortSignal;
  readonly #underWay: CallsUnderWay;

  /** Every call ends when `life` aborts. `baseUrl` has no slash at the end. */
  constructor(bot: { token: string; baseUrl: string; life: AbortSignal }) {
    this.#api = new Api(bot.token, optionsFor(bot.baseUrl));
    this.#token = bot.token;
    this.#baseUrl = bot.baseUrl;
    this.#life = bot.life;
    this.#underWay = new CallsUnderWay(bot.life);
  }

  /** Whose token it is. */
  async getMe(): Promise<TelegramBot> {
    const found = await this.#ask({ method: "getMe" }, (signal) => this.#api.getMe(signal));
    const parsed = bot.safeParse(found);
    if (!parsed.success)
      throw new TelegramCallError("getMe", { kind: "silent", code: "unreadable answer" });
    return parsed.data;
  }

  /** Makes a call that carries no file; gives its result. It ends too when `until` aborts. */
  async call(call: PlainCall, until?: AbortSignal): Promise<unknown> {
    const asked = { method: call.method, ...(until === undefined ? {} : { until }) };
    return this.#ask(asked, (signal) => makePlainCall(this.#api, call, signal));
  }

  /** As `call`, of a method that sends a message. Gives the message's id. */
  async sendPlain(call: PlainCall): Promise<number> {
    const sent = sentMessage.safeParse(await this.call(call));
    if (!sent.success)
      throw new TelegramCallError(call.method, { kind: "silent", code: "unreadable answer" });
    return sent.data.message_id;
  }

  /** Sends a file: by an id that Telegram gave it, by its address, or its bytes. */
  async sendMedia(media: MediaCall, given: string | FileUpload): Promise<SentMedia> {
    const { method, send } = mediaCalls[media.kind];
    const isUpload = typeof given !== "string";
    const other = {
      ...media.frame,
      ...(media.caption === null ? {} : { caption: media.caption }),
    };
    const answer = await this.#ask({ method, withinMs: isUpload ? uploadMs : fetchMs }, (signal) =>
      send(this.#api, {
        chatId: media.chatId,
        file: isUpload ? new InputFile(given.bytes, given.name) : given,
        other,
        signal,
      }),
    );
    const sent = readSentMedia(media.kind, answer);
    if (sent === null)
      throw new TelegramCallError(method, { kind: "silent", code: "unreadable answer" });
    return sent;
  }

  /** Where a file can be downloaded, for an hour. */
  async getFilePath(fileId: string, until: AbortSignal): Promise<string> {
    const found = await this.#ask({ method: "getFile", until }, (signal) =>
      this.#api.getFile(fileId, signal),
    );
    const parsed = filePath.safeParse(found);
    if (!parsed.success)
      throw new TelegramCallError("getFile", { kind: "silent", code: "unreadable answer" });
    return parsed.data.file_path;
  }

  /** The bytes at such a path, as they come. They end when `until` aborts, or with the client. */
  download(path: string, until: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return download(
      { baseUrl: this.#baseUrl, token: this.#token, path },
      AbortSignal.any([until, this.#life]),
    );
  }

  /** Waits `seconds` for updates from `offset` on; all before it are forgotten by Telegram. */
  async getUpdates(wanted: Poll): Promise<readonly unknown[]> {
    const parameters = {
      timeout: wanted.seconds,
      allowed_updates: wantedUpdates,
      ...(wanted.offset === null ? {} : { offset: wanted.offset }),
    };
    const withinMs = wanted.seconds * 1_000 + pollPatienceMs;
    const updates = await this.#ask<unknown>(
      { method: "getUpdates", until: wanted.signal, withinMs },
      (either) => this.#api.getUpdates(parameters, either),
    );
    const list = z.array(z.unknown()).safeParse(updates);
    if (!list.success)
      throw new TelegramCallError("getUpdates", { kind: "silent", code: "unreadable answer" });
    return list.data;
  }

  async setWebhook(webhook: { url: string; secret: string }): Promise<void> {
    await this.#ask({ method: "setWebhook" }, (signal) =>
      this.#api.setWebhook(
        webhook.url,
        { secret_token: webhook.secret, allowed_updates: wantedUpdates },
        signal,
      ),
    );
  }

  /** Where Telegram posts updates now; empty for nowhere. */
  async getWebhookUrl(until: AbortSignal): Promise<string> {
    const info = await this.#ask({ method: "getWebhookInfo", until }, (signal) =>
      this.#api.getWebhookInfo(signal),
    );
    return info.url ?? "";
  }

  /** Updates that wait are kept. */
  async deleteWebhook(): Promise<void> {
    await this.#ask({ method: "deleteWebhook" }, (signal) => this.#api.deleteWebhook({}, signal));
  }

  /** Makes one call, which ends when its time is over, when `until` aborts, or with the client. */
  async #ask<Result>(
    call: { method: string; until?: AbortSignal; withinMs?: number },
    make: (signal: Signal) => Promise<Result>,
  ): Promise<Result> {
    const ends = call.until === undefined ? [] : [call.until];
    const patience = new Patience(call.withinMs ?? callMs, ends);
    const place = this.#underWay.enter(patience);
    try {
      return await make(toSignal(patience.signal));
    } catch (error) {
      // A new error without a cause: grammY's holds the URL, and the URL holds the token.
      throw new TelegramCallError(
        call.method,
        patience.isOver ? { kind: "silent", code: "timeout" } : failureOf(error, this.#token),
      );
    } finally {
      this.#underWay.leave(place);
      patience.end();
    }
  }
}

function optionsFor(baseUrl: string): ApiClientOptions {
  return {
    apiRoot: baseUrl,
    timeoutSeconds: unusedLimitSeconds,
    fetch: transportFor(baseUrl),
  };
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
  return error instanceof Error && /^\w+$/.test(error.name) ? error.name : "unknown";
}
