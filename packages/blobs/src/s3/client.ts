// Calls an S3 store: signed, with deadlines, and tried again while the fault may pass.
import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "undici";
import type { Dispatcher } from "undici";
import { BlobStoreError } from "../blob-store.ts";
import { mayPass, S3AnswerError } from "./answer-error.ts";
import type { S3Location } from "./location.ts";
import { sha256, signRequest } from "./signature.ts";

export interface S3Request {
  /** S3's name of it, for errors. */
  readonly operation: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The blob's key. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly signal?: AbortSignal | undefined;
}

export type S3Answer = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">;

/** Milliseconds before each further try. */
const waitsMs = [100, 400, 1_200];
const nothing = Buffer.alloc(0);
/** More of an error's text is not read. */
const errorTextBytes = 16_384;

export class S3Client {
  readonly #location: S3Location;
  readonly #pool: Pool;

  constructor(location: S3Location) {
    this.#location = location;
    // No limit of connections: a slow reader of one blob must not keep others from theirs.
    this.#pool = new Pool(location.origin, {
      connections: null,
      pipelining: 1,
      connect: { timeout: 5_000 },
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
    });
  }

  /**
   * Resolves with a 2xx answer, whose body must be read or destroyed. Throws `S3AnswerError` for any other, and
   * `BlobStoreError` when there is none. Safe to repeat: a try whose end is unknown is followed by another one.
   */
  async send(request: S3Request): Promise<S3Answer> {
    for (const waitMs of waitsMs) {
      const answer = await this.#try(request).catch(unlessPassing(request));
      if (answer !== null) return answer;
      // Spread, so that processes that failed together do not come back together.
      await pause(waitMs * (0.5 + Math.random()), undefined, { signal: request.signal }).catch(() =>
        request.signal?.throwIfAborted(),
      );
    }
    return this.#try(request);
  }

  /** Sends, and reads the whole answer as text. */
  async sendForText(request: S3Request): Promise<{ text: string; headers: S3Answer["headers"] }> {
    const { body, headers, statusCode } = await this.send(request);
    const text = await body.text().catch(toUnavailable(request));
    // An answer that took long to make begins with 200 before S3 knows how it ends.
    if (text.includes("<Error>"))
      throw new S3AnswerError({ status: statusCode, operation: request.operation, text });
    return { text, headers };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #try(request: S3Request): Promise<S3Answer> {
    const { method, key, query = {}, headers = {}, body = nothing, signal } = request;
    const path = `${this.#location.basePath}${key}`;
    const unsigned = { method, path, query, headers, bodySha256: sha256(body) };
    const signed = signRequest(unsigned, this.#location, new Date());
    const answer = await this.#pool
      .request({
        path: signed.target,
        method,
        headers: signed.headers,
        body: method === "PUT" || method === "POST" ? body : null,
        signal,
      })
      .catch(toUnavailable(request));
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const text = await readErrorText(answer.body);
    throw new S3AnswerError({ status: answer.statusCode, operation: request.operation, text });
  }
}

/** Lets the faults through to another try that may pass by themselves; throws the others, and what the caller gave up. */
function unlessPassing({ signal }: S3Request): (error: unknown) => null {
  return (error) => {
    signal?.throwIfAborted();
    const passes =
      error instanceof S3AnswerError
        ? mayPass(error.status)
        : error instanceof BlobStoreError && error.fault === "unavailable";
    if (!passes) throw error;
    return null;
  };
}

function toUnavailable({ operation, signal }: S3Request): (error: unknown) => never {
  return (error) => {
    signal?.throwIfAborted();
    const words = error instanceof Error ? error.message : String(error);
    throw new BlobStoreError(
      "unavailable",
      `The media store gave no answer to ${operation}: ${words}.`,
      { cause: error },
    );
  };
}

async function readErrorText(body: S3Answer["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > errorTextBytes) break;
    }
  } catch {
    // The status says enough; half of the words are better than none.
  }
  return Buffer.concat(chunks).toString("utf8");
}
