// Answers downloads: `GET /file/bot<token>/<path>`, as the real server does, with faults scripted for the method "file".
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerJson } from "../http/answer.ts";
import { ApiError, unauthorized } from "./api-error.ts";
import { pause } from "./bot-api.ts";
import type { BotApiHost } from "./bot-api.ts";
import type { TelegramFault } from "./faults.ts";
import type { StoredFile } from "./files.ts";

/** Faults name downloads by this method. */
const DOWNLOAD = "file";

/** Answers one download and notes it in the record under the method "file". */
export async function answerFileDownload(
  host: BotApiHost,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, token = "", path = ""] = /^\/file\/bot([^/]*)\/(.*)$/s.exec(pathOf(request)) ?? [];
  const bot = host.state.botByToken(token);
  if (bot === null) return answerJson(response, 401, unauthorized().body());
  const entry = host.record.begin({
    at: host.state.clock.now(),
    botId: bot.id,
    method: DOWNLOAD,
    parameters: { file_path: path },
  });
  response.once("close", () => {
    if (entry.outcome !== "pending") return;
    const whole = response.writableFinished;
    host.record.finish(entry, {
      outcome: whole ? "answered" : "left",
      status: whole ? response.statusCode : null,
    });
  });
  const fault = host.faults.take({ botId: bot.id, method: DOWNLOAD, chatId: "" });
  const departed = new AbortController();
  response.once("close", () => departed.abort());
  if (fault?.delayMs !== undefined) await pause(host.state, fault.delayMs, departed.signal);
  const file = host.state.files.atPath(bot.id, path);
  if (file === null) return answerJson(response, 404, new ApiError(404, "Not Found").body());
  entry.accepted = true;
  if (fault === null || fault.kind === "delay") return sendWhole(response, file);
  misbehave(response, file, fault);
}

function sendWhole(response: ServerResponse, file: StoredFile): void {
  writeHead(response, file);
  response.end(file.bytes);
}

function misbehave(response: ServerResponse, file: StoredFile, fault: TelegramFault): void {
  const half = file.bytes.subarray(0, Math.floor(file.bytes.length / 2));
  switch (fault.kind) {
    case "hang":
      // With `accepted` the first half comes, and then nothing more.
      if (!fault.accepted) return;
      writeHead(response, file);
      return void response.write(half);
    case "truncated":
    case "reset_after_accept":
      writeHead(response, file);
      return void response.write(half, () => response.socket?.resetAndDestroy());
    case "reset_before_accept":
      return void response.socket?.resetAndDestroy();
    case "throttled":
      response.setHeader("retry-after", fault.retryAfter);
      return answerJson(response, 429, new ApiError(429, "Too Many Requests").body());
    case "error":
      return answerJson(
        response,
        fault.status,
        new ApiError(fault.status, fault.description).body(),
      );
    default:
      return answerJson(response, 500, new ApiError(500, "Internal Server Error: restart").body());
  }
}

function writeHead(response: ServerResponse, file: StoredFile): void {
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": file.bytes.length,
  });
}

function pathOf(request: IncomingMessage): string {
  const { pathname } = new URL(request.url ?? "/", "http://stand-in");
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
