// Downloads from addresses that users give: the same guard as for requests, redirects followed and each one checked, the body streamed.
import { Agent } from "undici";
import { EgressError, toEgressError } from "./errors.ts";
import { guarded } from "./guarded.ts";
import type { EgressConfig } from "./guarded.ts";
import { checkUrl } from "./url.ts";
import type { UrlRules } from "./url.ts";

export interface DownloadRequest {
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
  /** From the call to the last byte, in milliseconds. */
  readonly totalTimeoutMs: number;
  /** Without a byte, in milliseconds: before the answer's head, and between two pieces of its body. */
  readonly stallTimeoutMs: number;
}

/** An answer whose head has come. Its body must be read or discarded. */
export interface Download {
  /** As it came; redirects were followed. */
  readonly status: number;
  /** In lower case, without parameters. */
  readonly mime: string | null;
  /** As the server names the file, else the last step of its address. */
  readonly name: string | null;
  /** Bytes, when the server tells. */
  readonly size: number | null;
  /** The body, once. Throws `EgressError`, or `DownloadTooLargeError` at the first byte over the limit. */
  read(maxBytes: number): AsyncIterable<Uint8Array>;
  discard(): void;
}

export class DownloadTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`The file is larger than ${maxBytes} bytes.`);
    this.name = "DownloadTooLargeError";
  }
}

export interface Downloader {
  /** Resolves with any answer but a redirect, whatever its status. Throws `EgressError`. */
  open(request: DownloadRequest): Promise<Download>;
  /** Ends all connections; downloads in flight fail. */
  close(): Promise<void>;
}

const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Opens the door for downloads. */
export function createDownloader(config: EgressConfig = {}): Downloader {
  const { rules, agentOptions } = guarded(config);
  const agent = new Agent(agentOptions);
  return {
    open: (request) => follow(agent, rules, request),
    close: () => agent.destroy(),
  };
}

type Answer = Awaited<ReturnType<Agent["request"]>>;

async function follow(agent: Agent, rules: UrlRules, request: DownloadRequest): Promise<Download> {
  const watch = new Watch(request);
  try {
    let url = checkUrl(request.url, rules);
    for (let hops = 0; ; hops++) {
      const answer = await ask(agent, url, watch);
      const { location } = answer.headers;
      if (!redirects.has(answer.statusCode) || typeof location !== "string")
        return toDownload(answer, url, watch);
      answer.body.destroy();
      if (hops === mostRedirects) throw badResponse("it redirects too often");
      if (!URL.canParse(location, url.href)) throw badResponse("it redirects to no address");
      url = checkUrl(new URL(location, url).href, rules);
    }
  } catch (error) {
    watch.end();
    throw watch.failure ?? toEgressError(error, false);
  }
}

async function ask(agent: Agent, url: URL, watch: Watch): Promise<Answer> {
  const answer = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: "GET",
    headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "Thikaa-Media/1" },
    signal: watch.signal,
  });
  // Destroyed without a listener, a body's error would end the process.
  answer.body.on("error", () => {});
  watch.moved();
  return answer;
}

function toDownload({ statusCode, headers, body }: Answer, url: URL, watch: Watch): Download {
  const length = String(headers["content-length"] ?? "");
  const size = /^\d{1,15}$/.test(length) ? Number(length) : null;
  return {
    status: statusCode,
    mime: mimeOf(headers["content-type"]),
    name: nameOf(headers["content-disposition"]) ?? lastStepOf(url),
    size,
    read: (maxBytes) => read(body, maxBytes, watch),
    discard() {
      watch.end();
      body.destroy();
    },
  };
}

async function* read(
  body: Answer["body"],
  maxBytes: number,
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  const pieces: AsyncIterable<Uint8Array> = body;
  let size = 0;
  try {
    for await (const piece of pieces) {
      watch.moved();
      size += piece.length;
      if (size > maxBytes) throw new DownloadTooLargeError(maxBytes);
      yield piece;
    }
  } catch (error) {
    if (error instanceof DownloadTooLargeError) throw error;
    throw watch.failure ?? toEgressError(error, true);
  } finally {
    watch.end();
    body.destroy();
  }
}

/** The clocks of one download: in all, and since the last byte. */
class Watch {
  readonly signal: AbortSignal;
  /** Why it was given up; `null` while nothing gave it up. */
  failure: EgressError | null = null;
  readonly #stall: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;

  constructor({ signal, totalTimeoutMs, stallTimeoutMs }: DownloadRequest) {
    const ending = new AbortController();
    const giveUp = (code: "timeout" | "aborted", message: string) => {
      this.failure ??= new EgressError({ code, stage: "request", sent: true, message });
      ending.abort(this.failure);
    };
    const late = (milliseconds: number) => () =>
      giveUp("timeout", `no answer in time: it took longer than ${milliseconds} ms`);
    this.signal = ending.signal;
    this.#stall = setTimeout(late(stallTimeoutMs), stallTimeoutMs);
    this.#total = setTimeout(late(totalTimeoutMs), totalTimeoutMs);
    const onAbort = () => giveUp("aborted", "given up by this server");
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true, signal: ending.signal });
  }

  /** A byte came. */
  moved(): void {
    this.#stall.refresh();
  }

  end(): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#total);
  }
}

function badResponse(why: string): EgressError {
  return new EgressError({
    code: "bad_response",
    stage: "request",
    sent: true,
    message: `the answer can't be used: ${why}`,
  });
}

function mimeOf(header: string | string[] | undefined): string | null {
  const mime =
    String(header ?? "")
      .split(";")[0]
      ?.trim()
      .toLowerCase() ?? "";
  return /^[\w.+-]+\/[\w.+-]+$/.test(mime) ? mime : null;
}

/** `filename*` of RFC 6266 goes before `filename`. */
function nameOf(header: string | string[] | undefined): string | null {
  const text = Buffer.from(String(header ?? ""), "latin1").toString("utf8");
  const extended = /filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(text)?.[1];
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(text);
  return (extended === undefined ? null : decoded(extended)) ?? plain?.[1] ?? plain?.[2] ?? null;
}

function lastStepOf(url: URL): string | null {
  return decoded(url.pathname.split("/").at(-1) ?? "") || null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
