// The HTTP side of the Bot API: reads a call, applies faults, runs the method, answers as the real server does.
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BodyTooLargeError, readBody } from "../http/body.ts";
import { answerJson } from "../http/answer.ts";
import { ApiError, unauthorized } from "./api-error.ts";
import { readCallArguments } from "./call-arguments.ts";
import type { CallArguments } from "./call-arguments.ts";
import type { FloodControl } from "./flood.ts";
import type { Faults, TelegramFault } from "./faults.ts";
import type { MethodAnswer, MethodCall } from "./methods/method.ts";
import { METHODS } from "./methods/table.ts";
import type { CallOutcome, CallRecord, RecordedCall, RecordedUpload } from "./record.ts";
import { botIdOf } from "./state.ts";
import type { Bot, TelegramState } from "./state.ts";

/** What the Bot API works on. */
export interface BotApiHost {
  state: TelegramState;
  faults: Faults;
  record: CallRecord;
  /** Null where any pace is taken. */
  flood: FloodControl | null;
  revoke: (bot: Bot) => void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  entry: RecordedCall;
}

/** Uploads of a `--local` server may be this large. */
const LARGEST_BODY = 2000 * 1024 * 1024;
/** What a fault other than a JSON error looks like: the page of a proxy in front of the real server. */
const PROXY_PAGE =
  "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/** Answers a request under `/bot<token>/…`; anything else is 404. */
export async function answerBotApi(
  host: BotApiHost,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const target = readTarget(url.pathname);
  if (!target) return answerJson(response, 404, new ApiError(404, "Not Found").body());
  const body = await readBody(request, LARGEST_BODY).catch((error: unknown) =>
    error instanceof BodyTooLargeError ? error : null,
  );
  if (body === null) return;
  if (body instanceof BodyTooLargeError)
    return answerJson(response, 413, new ApiError(413, "Request Entity Too Large").body());

  const callArguments = readCallArguments(
    url.searchParams,
    request.headers["content-type"] ?? "",
    body,
  );
  const bot = host.state.botByToken(target.token);
  const entry = host.record.begin({
    at: host.state.clock.now(),
    botId: bot?.id ?? null,
    method: target.method,
    parameters: callArguments.sent,
    uploads: uploadsOf(callArguments),
  });
  const exchange: Exchange = { request, response, entry };
  if (!bot)
    return answerError(
      host,
      exchange,
      unauthorized(botIdOf(target.token) === null ? "invalid token specified" : undefined),
    );
  await answerCall(host, exchange, { bot, callArguments });
}

/** Runs a method named in a webhook's answer; its result goes nowhere, as on the real server. */
export async function runUnanswered(
  host: BotApiHost,
  bot: Bot,
  command: { method: string; callArguments: CallArguments },
): Promise<void> {
  const { method, callArguments } = command;
  const entry = host.record.begin({
    at: host.state.clock.now(),
    botId: bot.id,
    method,
    parameters: callArguments.sent,
  });
  await run(host, entry, { bot, callArguments, signal: new AbortController().signal }).catch(
    (error: unknown) => {
      entry.error = toApiError(error).message;
    },
  );
  host.record.finish(entry, { outcome: "answered", status: null });
}

async function answerCall(
  host: BotApiHost,
  exchange: Exchange,
  call: { bot: Bot; callArguments: CallArguments },
): Promise<void> {
  const { entry, response } = exchange;
  const departed = new AbortController();
  response.once("close", () => departed.abort());
  const method = entry.method.toLowerCase();
  const fault = host.faults.take({
    botId: call.bot.id,
    method,
    chatId: call.callArguments.text("chat_id"),
  });
  if (fault?.delayMs !== undefined) await pause(host.state, fault.delayMs, departed.signal);
  const runCall = (): Promise<MethodAnswer> =>
    run(host, entry, { ...call, signal: departed.signal });
  try {
    if (fault && fault.kind !== "delay")
      await misbehave(host, exchange, { fault, bot: call.bot, runCall });
    else answerResult(host, exchange, await runCall());
  } catch (error) {
    answerError(host, exchange, toApiError(error));
  }
}

async function run(
  host: BotApiHost,
  entry: RecordedCall,
  call: Omit<MethodCall, "state">,
): Promise<MethodAnswer> {
  const method = METHODS.get(entry.method.toLowerCase());
  if (!method) throw new ApiError(404, "Not Found: method not found");
  if (/^send(?!chataction)/i.test(entry.method))
    host.flood?.check(call.bot.id, call.callArguments.text("chat_id"));
  const answer = await method({ state: host.state, ...call });
  entry.accepted = true;
  entry.result = "json" in answer ? JSON.parse(answer.json) : answer.result;
  return answer;
}

interface Misbehaviour {
  fault: TelegramFault;
  bot: Bot;
  runCall: () => Promise<MethodAnswer>;
}

async function misbehave(
  host: BotApiHost,
  exchange: Exchange,
  { fault, bot, runCall }: Misbehaviour,
): Promise<void> {
  const { response, entry } = exchange;
  switch (fault.kind) {
    case "throttled":
      throw new ApiError(429, `Too Many Requests: retry after ${fault.retryAfter}`, {
        retry_after: fault.retryAfter,
      });
    case "error":
      throw new ApiError(fault.status, fault.description);
    case "revoked":
      host.revoke(bot);
      throw unauthorized();
    case "server_error":
      if (fault.accepted) await runCall();
      return answerServerError(host, exchange, fault.status ?? 500);
    case "hang":
      if (fault.accepted) await runCall();
      host.record.finish(entry, { outcome: "hung", status: null });
      return;
    case "reset_before_accept":
      return cut(host, exchange, "reset_before_accept");
    case "reset_after_accept":
      await runCall();
      return cut(host, exchange, "reset_after_accept");
    case "truncated":
      return answerHalf(host, exchange, await runCall());
    case "delay":
      return answerResult(host, exchange, await runCall());
    default:
      response.destroy();
  }
}

function cut(host: BotApiHost, { request, entry }: Exchange, outcome: CallOutcome): void {
  host.record.finish(entry, { outcome, status: null });
  request.socket.resetAndDestroy();
}

function answerResult(host: BotApiHost, { response, entry }: Exchange, answer: MethodAnswer): void {
  const left = response.destroyed;
  host.record.finish(
    entry,
    left ? { outcome: "left", status: null } : { outcome: "answered", status: 200 },
  );
  if (!left) sendText(response, 200, resultText(answer));
}

function answerHalf(
  host: BotApiHost,
  { request, response, entry }: Exchange,
  answer: MethodAnswer,
): void {
  host.record.finish(entry, { outcome: "truncated", status: 200 });
  const bytes = Buffer.from(resultText(answer));
  response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => request.socket.destroy());
}

function answerServerError(host: BotApiHost, exchange: Exchange, status: number): void {
  if (status === 500)
    return answerError(host, exchange, new ApiError(500, "Internal Server Error: restart"));
  host.record.finish(exchange.entry, { outcome: "answered", status });
  exchange.response.writeHead(status, {
    "content-type": "text/html",
    "content-length": Buffer.byteLength(PROXY_PAGE),
  });
  exchange.response.end(PROXY_PAGE);
}

function answerError(host: BotApiHost, { response, entry }: Exchange, error: ApiError): void {
  entry.error = error.message;
  const left = response.destroyed;
  host.record.finish(
    entry,
    left ? { outcome: "left", status: null } : { outcome: "answered", status: error.code },
  );
  if (left) return;
  const seconds = error.parameters?.retry_after;
  if (seconds !== undefined && seconds > 0) response.setHeader("retry-after", seconds);
  answerJson(response, error.code, error.body());
}

function resultText(answer: MethodAnswer): string {
  if ("json" in answer) return `{"ok":true,"result":${answer.json}}`;
  const { result, description } = answer;
  return JSON.stringify({
    ok: true,
    result,
    ...(description === undefined ? {} : { description }),
  });
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(
    500,
    `Internal Server Error: ${error instanceof Error ? error.message : "restart"}`,
  );
}

/** Waits by the stand-in's clock, or until the client has left. */
export async function pause(
  state: TelegramState,
  milliseconds: number,
  departed: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = state.clock.after(milliseconds, resolve);
  await Promise.race([promise, once(departed, "abort")]);
  cancel();
}

function uploadsOf({ files }: CallArguments): RecordedUpload[] {
  return [...files.values()].map(({ name, fileName, data }) => ({
    name,
    fileName,
    size: data.length,
    sha256: createHash("sha256").update(data).digest("hex"),
  }));
}

/** `/bot<token>/<method>`, as the real server cuts it: without the second slash there is nothing to answer. */
function readTarget(path: string): { token: string; method: string } | null {
  const found = /^\/bot([^/]*)\/(.*)$/s.exec(decoded(path));
  if (!found) return null;
  const [, token = "", method = ""] = found;
  // The test environment has other bots, none of them here.
  return method.startsWith("test/")
    ? { token: `${token}/test`, method: method.slice(5) }
    : { token, method };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
