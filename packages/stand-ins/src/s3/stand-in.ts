// Starts an S3 server of our own: path style, Signature V4, objects and multipart uploads, with scripted faults.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { S3RecordedCall, S3StandIn, S3StandInOptions } from "./contract.ts";
import { S3Faults } from "./faults.ts";
import type { S3Fault } from "./faults.ts";
import { perform, readCall } from "./requests.ts";
import type { S3Call, S3Reply } from "./requests.ts";
import { S3Error, xml } from "./s3-error.ts";
import { Shelf } from "./shelf.ts";
import { checkSignature } from "./signature.ts";

interface Host {
  readonly shelf: Shelf;
  readonly faults: S3Faults;
  readonly calls: S3RecordedCall[];
  readonly buckets: readonly string[];
  readonly rules: { accessKeyId: string; secretAccessKey: string; region: string };
}

/** Starts the server; resolves when it listens. */
export async function startS3StandIn(options: S3StandInOptions = {}): Promise<S3StandIn> {
  const { host = "127.0.0.1", port = 0, buckets = ["media"], region = "us-east-1" } = options;
  const rules = {
    accessKeyId: options.accessKeyId ?? "STANDINACCESSKEY",
    secretAccessKey: options.secretAccessKey ?? "stand-in/secret+key",
    region,
  };
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "thikaa-s3-")));
  const [shelf, faults] = [await Shelf.open(folder), new S3Faults()];
  const parts: Host = { shelf, faults, calls: [], buckets, rules };
  let answering = 0;
  const server = createServer((request, response) => {
    answering += 1;
    response.on("close", () => (answering -= 1));
    answer(parts, request, response).catch(() => response.destroy());
  });
  const url = await listen(server, host, port);
  return {
    url,
    ...rules,
    faults,
    calls: () => [...parts.calls],
    objects: () => shelf.names(),
    get unfinishedUploads() {
      return shelf.unfinished;
    },
    get answering() {
      return answering;
    },
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answer(
  host: Host,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const payload = checkSignature(request, host.rules, Date.now());
    const call = readCall(request, payload);
    if (!host.buckets.includes(call.bucket))
      throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    const { operation, bucket, key } = call;
    const recorded: S3RecordedCall = { operation, bucket, key, status: null };
    host.calls.push(recorded);
    response.on("finish", () => (recorded.status = response.statusCode));
    await answerWithFault(host, call, response);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    await send(response, errorReply(error, request));
  }
}

async function answerWithFault(host: Host, call: S3Call, response: ServerResponse): Promise<void> {
  const fault = host.faults.take(call.operation, call.key);
  switch (fault?.kind) {
    case undefined:
      return send(response, await perform(host.shelf, call));
    case "hang":
      return;
    case "reset_before_accept":
      return void response.socket?.resetAndDestroy();
    case "reset_after_accept":
      await perform(host.shelf, call).then(drop);
      return void response.socket?.resetAndDestroy();
    case "server_error":
      if (fault.accepted) await perform(host.shelf, call).then(drop);
      return send(response, errorReply(scripted(fault.status ?? 503), call.request));
    case "delay":
      await pause(fault.delayMs, undefined, { ref: false });
      return send(response, await perform(host.shelf, call));
    case "slow":
    case "truncated":
      return send(response, await perform(host.shelf, call), fault);
  }
}

function scripted(status: number): S3Error {
  return status === 503
    ? new S3Error(503, "SlowDown", "Please reduce your request rate.")
    : new S3Error(status, "InternalError", "We encountered an internal error. Please try again.");
}

function drop({ body }: S3Reply): void {
  if (body instanceof Readable) body.destroy();
}

function errorReply(error: S3Error, request: IncomingMessage): S3Reply {
  const [resource = "/"] = (request.url ?? "/").split("?");
  const body = xml("Error", { Code: error.code, Message: error.message, Resource: resource });
  const headers = {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    // What is left of a body that was not read must not be taken for the next request.
    ...(request.complete ? {} : { connection: "close" }),
  };
  return { status: error.status, headers, body: request.method === "HEAD" ? null : body };
}

async function send(response: ServerResponse, reply: S3Reply, fault?: S3Fault): Promise<void> {
  response.writeHead(reply.status, { ...reply.headers });
  if (!(reply.body instanceof Readable)) return void response.end(reply.body ?? undefined);
  const length = Number(reply.headers["content-length"]);
  const bytes =
    fault?.kind === "slow"
      ? slowed(reply.body, fault.bytesPerSecond)
      : fault?.kind === "truncated"
        ? cut(reply.body, Math.floor(length / 2))
        : reply.body;
  await pipeline(bytes, response);
}

async function* slowed(bytes: Readable, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 20));
  for await (const chunk of bytes)
    for (let from = 0; from < (chunk as Buffer).length; from += step) {
      yield (chunk as Buffer).subarray(from, from + step);
      await pause(50, undefined, { ref: false });
    }
}

/** Ends with an error, so that the connection is broken and not closed in order. */
async function* cut(bytes: Readable, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of bytes) {
    yield (chunk as Buffer).subarray(0, left);
    left -= (chunk as Buffer).length;
    if (left <= 0) throw new Error("The answer is cut here, as it was told to be.");
  }
}

function listen(server: Server, host: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.once("error", reject);
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === "object" && address !== null ? address.port : port;
    resolve(`http://${host.includes(":") ? `[${host}]` : host}:${bound}`);
  });
  return promise;
}
