// One webhook request, with the headers and the deadline of the real server.
import * as http from "node:http";
import * as https from "node:https";
import type { Clock } from "../clock.ts";

/** Where the updates go. The agent keeps its connections open between updates. */
export interface WebhookTarget {
  url: URL;
  secretToken: string;
  agent: http.Agent;
}

/** What came back. `error` is null for 2xx only; otherwise it is the text that getWebhookInfo shows. */
export interface WebhookAnswer {
  status: number | null;
  error: string | null;
  retryAfterSeconds: number;
  /** A method the answer asks to execute. */
  command: { method: string; parameters: Record<string, unknown> } | null;
}

const ANSWER_DEADLINE_MS = 60_000;
/** More of an answer is never read. */
const LARGEST_ANSWER = 65_536;

/** Makes the target; `certificate` is the PEM a bot uploaded for a self-signed server. */
export function createWebhookTarget(
  url: URL,
  secretToken: string,
  certificate: string | null,
): WebhookTarget {
  const secure = url.protocol === "https:";
  const agent = secure
    ? new https.Agent({ keepAlive: true, ...(certificate === null ? {} : { ca: certificate }) })
    : new http.Agent({ keepAlive: true });
  return { url, secretToken, agent };
}

/** Posts one update. Never rejects: every failure is an answer with an error. */
export function postWebhook(post: {
  target: WebhookTarget;
  body: string;
  clock: Clock;
  signal: AbortSignal;
}): Promise<WebhookAnswer> {
  const { target, body, clock, signal } = post;
  const { promise, resolve } = Promise.withResolvers<WebhookAnswer>();
  const send = target.url.protocol === "https:" ? https.request : http.request;
  const request = send(target.url, {
    method: "POST",
    agent: target.agent,
    headers: headersFor(target, body),
    signal,
  });
  const cancelDeadline = clock.after(ANSWER_DEADLINE_MS, () =>
    request.destroy(new Error("Read timeout expired")),
  );
  const settle = (answer: WebhookAnswer): void => {
    cancelDeadline();
    resolve(answer);
  };
  request.on("error", (error) => settle(failure(null, describe(error))));
  request.on("response", (response) => {
    readText(response).then(
      (text) => settle(judge(response, text)),
      () => settle(failure(null, "Webhook connection closed")),
    );
  });
  request.end(body);
  return promise;
}

function headersFor(target: WebhookTarget, body: string): Record<string, string | number> {
  const { username, password } = target.url;
  return {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Accept-Encoding": "gzip, deflate",
    ...(target.secretToken === "" ? {} : { "X-Telegram-Bot-Api-Secret-Token": target.secretToken }),
    ...(username === ""
      ? {}
      : { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` }),
  };
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) if (text.length < LARGEST_ANSWER) text += String(chunk);
  return text;
}

function judge(response: http.IncomingMessage, text: string): WebhookAnswer {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status <= 299)
    return { status, error: null, retryAfterSeconds: 0, command: commandIn(response, text) };
  const answer = failure(
    status,
    `Wrong response from the webhook: ${status} ${response.statusMessage ?? ""}`.trimEnd(),
  );
  return {
    ...answer,
    retryAfterSeconds: Number.parseInt(response.headers["retry-after"] ?? "", 10) || 0,
  };
}

function failure(status: number | null, error: string): WebhookAnswer {
  return { status, error, retryAfterSeconds: 0, command: null };
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "Connection refused";
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
    return "Failed to resolve host: Name or service not known";
  if (error.code === "ECONNRESET") return "Webhook connection closed";
  return error.message;
}

/** Telegram executes a method named in the body of a 2xx answer, except those that read or change the set-up. */
function commandIn(response: http.IncomingMessage, text: string): WebhookAnswer["command"] {
  const parameters = parametersIn(response.headers["content-type"] ?? "", text);
  const named = parameters?.["method"];
  const method = typeof named === "string" ? named.toLowerCase() : "";
  const refused =
    ["deletewebhook", "setwebhook", "close", "logout"].includes(method) || method.startsWith("get");
  return parameters && method !== "" && !refused ? { method, parameters } : null;
}

function parametersIn(contentType: string, text: string): Record<string, unknown> | null {
  if (contentType.includes("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  if (!contentType.includes("application/json")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
