// A real HTTP server that plays the receiver of webhooks: it records each request before it answers, and answers as scripted.
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "./waiting.ts";

/** One request as it came in. */
export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** The raw bytes, for signatures. */
  body: Buffer;
  /** The body parsed as JSON; throws when it is none. */
  json(): unknown;
  /** Milliseconds since 1970 when the whole request was there. */
  receivedAt: number;
}

/** How to answer one request. All parts may be combined; the default is an empty 200. */
export interface SinkAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Waits this long before the answer. */
  delayMs?: number;
  /** Never answers; the connection stays open until the sink closes. */
  hang?: boolean;
  /** Closes the connection without an answer. */
  reset?: boolean;
  /** A redirect (302 unless `status` says otherwise) to this URL. */
  redirectTo?: string;
  /** A body of this many bytes, after `body`. */
  bigBodyBytes?: number;
}

/** Decides the answer from the request and how many came before it. */
export type SinkScript = (request: ReceivedRequest, index: number) => SinkAnswer;

/** A running sink. */
export interface WebhookSink {
  /** Its address without a last slash; any path under it is recorded. */
  url: string;
  /** Everything received so far, in the order in which the requests were complete. */
  readonly received: ReceivedRequest[];
  /** Answers all further requests this way. */
  answer(answer: SinkAnswer | SinkScript): void;
  /** Answers the next requests with these, in order; then again as `answer` said. */
  answerNext(...answers: SinkAnswer[]): void;
  /** Resolves with everything received once that is at least `count` requests; rejects after `deadlineMs` (default 10 s). */
  waitFor(count: number, deadlineMs?: number): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

interface Script {
  standing: SinkScript;
  next: SinkAnswer[];
}

/** Starts a sink on a free port (or `port`) of 127.0.0.1. */
export async function startWebhookSink(options: { port?: number } = {}): Promise<WebhookSink> {
  const received: ReceivedRequest[] = [];
  const script: Script = { standing: () => ({}), next: [] };
  const server = createServer((request, response) => {
    // A sender that goes away in the middle is part of what is tested; there is nobody left to answer.
    void take(request, received, script).then(
      (answer) => give(answer, response),
      () => response.destroy(),
    );
  });
  await once(server.listen(options.port ?? 0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (answer) =>
      void (script.standing = typeof answer === "function" ? answer : () => answer),
    answerNext: (...answers) => void script.next.push(...answers),
    waitFor: (count, deadlineMs) =>
      waitFor(() => atLeast(count, received), { what: `${count} webhook requests`, deadlineMs }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function take(
  request: IncomingMessage,
  received: ReceivedRequest[],
  script: Script,
): Promise<SinkAnswer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const taken: ReceivedRequest = {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    body,
    json: () => JSON.parse(body.toString("utf8")) as unknown,
    receivedAt: Date.now(),
  };
  received.push(taken);
  return script.next.shift() ?? script.standing(taken, received.length - 1);
}

async function give(answer: SinkAnswer, response: ServerResponse): Promise<void> {
  if (answer.hang === true) return;
  if (answer.delayMs !== undefined) await pause(answer.delayMs);
  if (answer.reset === true) return void response.socket?.resetAndDestroy();
  const status = answer.status ?? (answer.redirectTo === undefined ? 200 : 302);
  response.writeHead(status, {
    ...answer.headers,
    ...(answer.redirectTo !== undefined && { location: answer.redirectTo }),
  });
  // The reader may go away in the middle of a big body, as a guarded sender should.
  await pipeline(bodyPieces(answer), response).catch(() => {});
}

/** In pieces, at the reader's pace: a huge body must not need its size in memory here. */
function* bodyPieces({ body, bigBodyBytes = 0 }: SinkAnswer): Generator<string | Buffer> {
  if (body !== undefined && body.length > 0) yield body;
  const piece = Buffer.alloc(64 * 1024, "x");
  for (let left = bigBodyBytes; left > 0; left -= piece.length)
    yield left < piece.length ? piece.subarray(0, left) : piece;
}

function atLeast(count: number, received: ReceivedRequest[]): ReceivedRequest[] {
  if (received.length < count) throw new Error(`${received.length} came`);
  return received;
}
