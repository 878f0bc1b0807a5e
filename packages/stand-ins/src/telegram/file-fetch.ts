// Fetches a file from a URL that a bot gave, with the real server's limits and its three ways to refuse.
import type { Clock } from "../clock.ts";
import { ApiError, badRequest } from "./api-error.ts";
import { KIND_RULES } from "./file-kinds.ts";
import type { FileKind, NewFile } from "./files.ts";

const WITHIN_MS = 10_000;
/** A URL that failed once goes on failing for days, even when it is there by then. */
const FAILURE_LIFETIME_MS = 2 * 86_400_000;

export class FileFetcher {
  readonly #clock: Clock;
  readonly #failed = new Map<string, { error: ApiError; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The file behind a URL. Throws the real server's 400s. */
  async fetch(kind: FileKind, url: string): Promise<NewFile> {
    const key = `${kind} ${url}`;
    const known = this.#failed.get(key);
    if (known !== undefined && known.until > this.#clock.now()) throw known.error;
    try {
      return await download(kind, url);
    } catch (error) {
      const failure = error instanceof ApiError ? error : notFetched();
      this.#failed.set(key, { error: failure, until: this.#clock.now() + FAILURE_LIFETIME_MS });
      throw failure;
    }
  }
}

async function download(kind: FileKind, url: string): Promise<NewFile> {
  const { byUrl, urlTypes } = KIND_RULES[kind];
  const response = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) });
  const mime =
    (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!response.ok || response.body === null) throw notFetched();
  if (!urlTypes.test(mime)) {
    await response.body.cancel();
    throw badRequest("wrong type of the web page content");
  }
  const chunks: Uint8Array[] = [];
  const body: ReadableStream<Uint8Array> = response.body;
  const reader = body.getReader();
  for (let size = 0; ;) {
    const { value } = await reader.read();
    if (value === undefined) break;
    size += value.length;
    if (size > byUrl) {
      await reader.cancel();
      throw notFetched();
    }
    chunks.push(value);
  }
  return { kind, bytes: Buffer.concat(chunks), name: nameOf(response.url), mime };
}

function notFetched(): ApiError {
  return badRequest("failed to get HTTP URL content");
}

function nameOf(url: string): string | null {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last) || null;
  } catch {
    return last;
  }
}
