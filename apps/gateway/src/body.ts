// Reading a request's body: bounded, JSON only, every fault an error in plain words.
import type { IncomingMessage } from "node:http";
import { ApiError, limits } from "@thikaa/schema";

/** A body that was read: its JSON, or what is wrong with it. The fault is kept, since other checks come before it. */
export type ReadBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ApiError };

/** Thrown when the client went away before its body was here: nobody is left to answer. */
export class ClientGone extends Error {
  constructor() {
    super("the client went away before its request was whole");
    this.name = "ClientGone";
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads and parses a body. Never throws for what a client can send; a connection cut in the middle rejects with `ClientGone`. */
export async function readJsonBody(request: IncomingMessage): Promise<ReadBody> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limits.bodyBytes) return fault(new ApiError("payload_too_large"));
  const bytes = await readBytes(request);
  if (bytes === null) return fault(new ApiError("payload_too_large"));
  if (
    !isJsonType(request.headers["content-type"]) ||
    isEncoded(request.headers["content-encoding"])
  )
    return fault(new ApiError("unsupported_media_type"));
  return parseJson(bytes);
}

function parseJson(bytes: Buffer): ReadBody {
  if (bytes.length === 0) return fault(invalid("The body is empty; send a JSON object."));
  try {
    return { ok: true, value: JSON.parse(decoder.decode(bytes)) };
  } catch (error) {
    return fault(
      invalid(
        error instanceof TypeError ? "The body is not valid UTF-8." : "The body is not valid JSON.",
      ),
    );
  }
}

function readBytes(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    // Gone during admission: no event would come any more.
    if (request.destroyed) return reject(new ClientGone());
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bodyBytes) {
        request.pause();
        resolve(null);
      } else chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on("error", () => reject(new ClientGone()));
    // Every connection closes in the end; only a request that is not whole then was given up.
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
  });
}

/** JSON by its name, or no name at all: many clients send JSON without one. */
function isJsonType(header: string | undefined): boolean {
  if (header === undefined || header.trim() === "") return true;
  const [type = "", ...parameters] = header
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  return (
    /^(application|text)\/(json|[\w.+-]+\+json)$/.test(type) &&
    (charset === undefined || charset === "utf-8" || charset === "utf8" || charset === "us-ascii")
  );
}

function isEncoded(header: string | undefined): boolean {
  return header !== undefined && header.toLowerCase() !== "identity";
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request", { message });
}

function fault(error: ApiError): ReadBody {
  return { ok: false, error };
}
