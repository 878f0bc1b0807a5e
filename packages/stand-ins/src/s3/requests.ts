// Carries out S3's requests: which one it is, and what it answers.
import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { noSuchKey, S3Error, xml } from "./s3-error.ts";
import type { S3Operation } from "./faults.ts";
import type { Shelf, StoredObject } from "./shelf.ts";

/** One request, cut into what S3 sees in it. */
export interface S3Call {
  readonly request: IncomingMessage;
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  /** The body's SHA-256 as it was signed, or `UNSIGNED-PAYLOAD`. */
  readonly payload: string;
}

export interface S3Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | Readable | null;
}

const operationOf: readonly {
  readonly method: string;
  readonly parameter?: string;
  readonly operation: S3Operation;
}[] = [
  { method: "POST", parameter: "uploads", operation: "CreateMultipartUpload" },
  { method: "POST", parameter: "uploadId", operation: "CompleteMultipartUpload" },
  { method: "PUT", parameter: "uploadId", operation: "UploadPart" },
  { method: "DELETE", parameter: "uploadId", operation: "AbortMultipartUpload" },
  { method: "PUT", operation: "PutObject" },
  { method: "GET", operation: "GetObject" },
  { method: "HEAD", operation: "HeadObject" },
  { method: "DELETE", operation: "DeleteObject" },
];

/** Parameters that clients add without meaning another request. */
const plainParameters = new Set(["x-id", "partNumber", "uploadId", "uploads"]);

/** Reads a request; throws S3's error for what the stand-in does not speak. */
export function readCall(request: IncomingMessage, payload: string): S3Call {
  const [path = "/", search = ""] = (request.url ?? "/").split("?");
  const query = new URLSearchParams(search.replaceAll("+", "%2B"));
  const [, bucket = "", ...rest] = path.split("/").map(decodeURIComponent);
  const key = rest.join("/");
  const found = operationOf.find(
    ({ method, parameter }) =>
      method === request.method && (parameter === undefined || query.has(parameter)),
  );
  const strange = [...query.keys()].some((name) => !plainParameters.has(name));
  if (
    found === undefined ||
    strange ||
    key === "" ||
    !/^([0-9a-f]{64}|UNSIGNED-PAYLOAD)$/.test(payload)
  )
    throw new S3Error(
      501,
      "NotImplemented",
      "A header or query you provided implies functionality that is not implemented.",
    );
  return { request, operation: found.operation, bucket, key, query, payload };
}

/** Carries out one request. */
export function perform(shelf: Shelf, call: S3Call): Promise<S3Reply> {
  return handlers[call.operation](shelf, call);
}

const handlers: Readonly<Record<S3Operation, (shelf: Shelf, call: S3Call) => Promise<S3Reply>>> = {
  async PutObject(shelf, call) {
    const file = await shelf.receive(call.request, call.payload);
    const { etag } = await shelf.put(nameOf(call), file, contentTypeOf(call));
    return { status: 200, headers: { etag }, body: null };
  },
  async GetObject(shelf, call) {
    const object = objectOf(shelf, call);
    const range = readRange(call.request.headers.range, object.size);
    if (range === null)
      return { status: 200, ...whole(object), body: createReadStream(object.path) };
    const { headers } = whole(object);
    return {
      status: 206,
      headers: {
        ...headers,
        "content-length": range.end - range.start + 1,
        "content-range": `bytes ${range.start}-${range.end}/${object.size}`,
      },
      body: createReadStream(object.path, range),
    };
  },
  async HeadObject(shelf, call) {
    return { status: 200, ...whole(objectOf(shelf, call)), body: null };
  },
  async DeleteObject(shelf, call) {
    await shelf.delete(nameOf(call));
    return { status: 204, headers: {}, body: null };
  },
  async CreateMultipartUpload(shelf, call) {
    const uploadId = shelf.begin(nameOf(call), contentTypeOf(call));
    return xmlReply("InitiateMultipartUploadResult", {
      Bucket: call.bucket,
      Key: call.key,
      UploadId: uploadId,
    });
  },
  async UploadPart(shelf, call) {
    const number = Number(call.query.get("partNumber"));
    if (!Number.isInteger(number) || number < 1 || number > 10_000)
      throw new S3Error(
        400,
        "InvalidArgument",
        "Part number must be an integer between 1 and 10000, inclusive",
      );
    const file = await shelf.receive(call.request, call.payload);
    await shelf.addPart({ uploadId: uploadIdOf(call), name: nameOf(call), number, file });
    return { status: 200, headers: { etag: `"${file.md5.toString("hex")}"` }, body: null };
  },
  async CompleteMultipartUpload(shelf, call) {
    const parts = readParts((await buffer(call.request)).toString("utf8"));
    const { etag } = await shelf.complete(uploadIdOf(call), nameOf(call), parts);
    return xmlReply("CompleteMultipartUploadResult", {
      Bucket: call.bucket,
      Key: call.key,
      ETag: etag,
    });
  },
  async AbortMultipartUpload(shelf, call) {
    await shelf.abort(uploadIdOf(call), nameOf(call));
    return { status: 204, headers: {}, body: null };
  },
};

function nameOf({ bucket, key }: S3Call): string {
  return `${bucket}/${key}`;
}

function uploadIdOf({ query }: S3Call): string {
  return query.get("uploadId") ?? "";
}

function contentTypeOf({ request }: S3Call): string {
  return request.headers["content-type"] ?? "binary/octet-stream";
}

function objectOf(shelf: Shelf, call: S3Call): StoredObject {
  const object = shelf.find(nameOf(call));
  if (object === undefined) throw noSuchKey();
  return object;
}

function whole(object: StoredObject): { headers: Record<string, string | number> } {
  return {
    headers: {
      "accept-ranges": "bytes",
      "content-type": object.contentType,
      "content-length": object.size,
      etag: object.etag,
      "last-modified": object.modifiedAt.toUTCString(),
    },
  };
}

function xmlReply(element: string, fields: Readonly<Record<string, string>>): S3Reply {
  const body = xml(element, fields);
  return {
    status: 200,
    headers: { "content-type": "application/xml", "content-length": Buffer.byteLength(body) },
    body,
  };
}

/** The one range that is asked for; `null` when there is none, or it can't be read, which S3 ignores. */
function readRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | null {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || from + to === "") return null;
  const start = from === "" ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return null;
  if (start >= size || (from === "" && Number(to) === 0))
    throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable");
  return { start, end };
}

function readParts(body: string): { number: number; etag: string }[] {
  return [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => ({
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
    etag: (/<ETag>([^<]*)<\/ETag>/.exec(part)?.[1] ?? "").replaceAll(/&quot;|&#34;|"/g, ""),
  }));
}
