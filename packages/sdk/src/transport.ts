// One HTTP call with a deadline, and how calls are tried again.
import { errorOfAnswer, ThikaaError } from "./errors.ts";

export type Fetch = typeof globalThis.fetch;

export interface TransportConfig {
  readonly fetch: Fetch;
  /** The bearer token; never part of an error. */
  readonly token: string;
  /** Milliseconds for one try. */
  readonly timeoutMs: number;
}

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface RetryPolicy {
  /** Tries in all. */
  readonly tries: number;
  /** No try begins later than this after the first, in milliseconds. */
  readonly withinMs: number;
}

/** Refuses what could not stand in a header, without repeating it. */
export function checkToken(token: string, name: string): string {
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new TypeError(`${name} is empty or has characters that a key never has.`);
  return token;
}

/** A base URL with a last slash, so that paths join below it. */
export function parseBaseUrl(text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new TypeError("baseUrl must be a URL like https://example.com.");
  return new URL(text.endsWith("/") ? text : `${text}/`);
}

/** Makes the call once and gives the parsed JSON of a 2xx answer. Throws `ThikaaError`; a caller's abort is thrown as it is. */
export async function callJson(config: TransportConfig, call: Call): Promise<unknown> {
  const response = await open(config, call, AbortSignal.timeout(config.timeoutMs));
  const body = await response.json().catch((error: unknown) => {
    call.signal?.throwIfAborted();
    if (!response.ok) return undefined;
    throw new ThikaaError({
      code: "bad_answer",
      message: "The answer is not JSON.",
      status: response.status,
      cause: error,
    });
  });
  if (!response.ok) throw errorOfAnswer(response, body);
  return body;
}

/** Opens an answer to be read piece by piece: the deadline ends with its head. Throws as `callJson`. */
export async function openStream(config: TransportConfig, call: Call): Promise<Response> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), config.timeoutMs);
  try {
    const response = await open(config, call, deadline.signal);
    if (response.ok) return response;
    throw errorOfAnswer(response, await response.json().catch(() => undefined));
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a call until it succeeds, fails for good, or the policy ends; waits as the server says, else 0.5, 1, 2 … seconds with jitter. */
export async function withRetry<Answer>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const begunAt = performance.now();
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ThikaaError) || !error.retryable || tried >= policy.tries) throw error;
      const waitMs =
        error.retryAfter === undefined
          ? 500 * 2 ** (tried - 1) * (0.75 + 0.5 * Math.random())
          : error.retryAfter * 1_000;
      if (performance.now() - begunAt + waitMs > policy.withinMs) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Waits, or throws the signal's reason when it ends first. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(
        signal?.reason instanceof Error
          ? signal.reason
          : new DOMException("The call was given up.", "AbortError"),
      );
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

async function open(config: TransportConfig, call: Call, deadline: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${config.token}`,
    Accept: "application/json",
    ...call.headers,
  };
  if (call.body !== undefined) headers["Content-Type"] = "application/json";
  const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
  try {
    // A redirect would carry the key to another place.
    return await config.fetch(call.url, {
      method: call.method,
      headers,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal,
      redirect: "error",
    });
  } catch (error) {
    call.signal?.throwIfAborted();
    const message = deadline.aborted
      ? `No answer from ${call.url.origin} within ${config.timeoutMs} ms.`
      : `No answer from ${call.url.origin}: ${reasonOf(error)}.`;
    throw new ThikaaError({ code: "network_error", message, cause: error });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return "unknown reason";
  return cause.message === "" && "code" in cause ? String(cause.code) : cause.message;
}
