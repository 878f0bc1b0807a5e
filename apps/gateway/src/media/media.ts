// Serves media by signed links: `GET /media/{id}/{name}?sig=`, the signature first, then the row, then the bytes.
import type { RequestListener, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { BlobStoreError } from "@thikaa/blobs";
import type { BlobStore, OpenBlob } from "@thikaa/blobs";
import { findMedia, isReady } from "@thikaa/db";
import type { Queryable, ReadyMedia } from "@thikaa/db";
import type { Log, Trouble } from "@thikaa/runtime";
import { ApiError, fromWireId, toWireId } from "@thikaa/schema";
import { mediaFileName } from "@thikaa/vault";
import type { MediaLinks } from "@thikaa/vault";
import { answerError, openExchange } from "../answer.ts";
import type { Exchange } from "../answer.ts";
import { etagOf, guardHeaders, mediaHeaders, namesTag } from "./headers.ts";
import { readRange } from "./range.ts";
import type { ByteRange } from "./range.ts";

/** What Node says when a reader leaves in the middle. */
const readerLeft = new Set([
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_UNABLE_TO_PIPE",
]);

export interface MediaParts {
  readonly database: Queryable;
  /** `null` when the house keeps no media: every link is answered 404. */
  readonly blobs: BlobStore | null;
  readonly links: MediaLinks;
  readonly log: Log;
  /** Told of requests that fail because PostgreSQL is away. */
  readonly unavailable: Trouble;
  /** Milliseconds without a byte taken, after which a reader is given up; a minute otherwise. */
  readonly idleMs?: number;
}

/** Whether the media listener answers a URL. */
export function isMediaUrl(url: string): boolean {
  return /^\/media(\/|\?|$)/.test(url);
}

/** Answers everything below `/media`. */
export function mediaListener(parts: MediaParts): RequestListener {
  return (request, response) => {
    const exchange = openExchange(request, response);
    for (const [name, value] of Object.entries(guardHeaders)) response.setHeader(name, value);
    serve(parts, exchange).catch((error: unknown) => {
      if (response.headersSent) return giveUp(exchange, error, parts.log);
      answerError(exchange, toAnswer(error), parts);
    });
  };
}

async function serve(parts: MediaParts, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new ApiError("method_not_allowed", { allow: "GET, HEAD" });
  const { blobs } = parts;
  const media = blobs === null ? null : await findLinked(parts, request.url ?? "");
  if (blobs === null || media === null) throw new ApiError("not_found");
  const headers = { ...mediaHeaders(media), "X-Request-Id": exchange.requestId };
  if (namesTag(request.headers["if-none-match"], etagOf(media))) {
    response.writeHead(304, headers).end();
    return;
  }
  if (request.method === "HEAD") {
    if ((await blobs.stat(media.blob_key)) === null) throw new ApiError("not_found");
    response.writeHead(200, { ...headers, "Content-Length": media.size }).end();
    return;
  }
  const range = wantedRange(exchange, media);
  if (range === "unsatisfiable") {
    response.setHeader("X-Request-Id", exchange.requestId);
    response
      .writeHead(416, { "Content-Range": `bytes */${media.size}`, "Content-Length": 0 })
      .end();
    return;
  }
  const blob = await openWhole(blobs, media, range);
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    "Content-Length": range === null ? media.size : range.end - range.start + 1,
    ...(range === null
      ? {}
      : { "Content-Range": `bytes ${range.start}-${range.end}/${media.size}` }),
  });
  await send(blob, response, parts.idleMs ?? 60_000);
}

/** Sends as fast as the reader takes it, and closes the blob whatever happens. */
async function send({ stream }: OpenBlob, response: ServerResponse, idleMs: number): Promise<void> {
  // A reader that takes nothing would hold its blob open for ever.
  response.setTimeout(idleMs, () => response.destroy());
  try {
    // To a reader that left before the first byte, a pipeline neither ends nor closes its source.
    if (!response.destroyed) await pipeline(stream, response);
  } finally {
    stream.destroy();
  }
}

/** The media that a URL is a link to. A link that was changed in any part of it, its name too, leads nowhere. */
async function findLinked(parts: MediaParts, url: string): Promise<ReadyMedia | null> {
  const link = readLink(url);
  const mediaId = link === null ? null : fromWireId("media", link.id);
  if (link === null || mediaId === null || toWireId("media", mediaId) !== link.id) return null;
  const linked = parts.links.verify(mediaId, link.signature);
  if (linked === null) return null;
  const media = await findMedia(parts.database, { storeId: linked.storeId, id: linked.mediaId });
  if (media === null || !isReady(media) || mediaFileName(media.name) !== link.name) return null;
  return media;
}

function readLink(url: string): { id: string; name: string; signature: string } | null {
  const [path = "", query = ""] = url.split("?");
  const [, , id = "", name = "", ...rest] = path.split("/");
  const signature = new URLSearchParams(query).get("sig");
  if (signature === null || rest.length > 0) return null;
  try {
    return { id, name: decodeURIComponent(name).normalize("NFC"), signature };
  } catch {
    return null;
  }
}

/** A range for a file that has changed since is answered by the whole of it; ours never change, but the tag may be another's. */
function wantedRange({ request }: Exchange, media: ReadyMedia): ByteRange | "unsatisfiable" | null {
  const condition = request.headers["if-range"];
  if (condition !== undefined && condition !== etagOf(media)) return null;
  return readRange(request.headers.range, media.size);
}

async function openWhole(
  blobs: BlobStore,
  media: ReadyMedia,
  range: ByteRange | null,
): Promise<OpenBlob> {
  const blob = await blobs.open(media.blob_key, range ?? undefined);
  if (blob === null) throw new ApiError("not_found");
  if (blob.size === media.size) return blob;
  blob.stream.destroy();
  throw new Error(`The blob has ${blob.size} bytes, its row says ${media.size}.`);
}

function toAnswer(error: unknown): unknown {
  return error instanceof BlobStoreError
    ? new ApiError("unavailable", { retryAfter: 2, cause: error })
    : error;
}

/** Once bytes are out, breaking the connection is the only way to say that they are not all. */
function giveUp({ requestId, response }: Exchange, error: unknown, log: Log): void {
  response.destroy();
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!readerLeft.has(code)) log.error({ error, request_id: requestId }, "media broke off");
}
