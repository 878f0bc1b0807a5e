// Reading a request's body: bounded, JSON only, every fault an error in plain words.
import type { IncomingMessage } from "node:http";
import { readBody } from "@thikaa/runtime";
import { ApiError, limits } from "@thikaa/schema";

/** A body that was read: its JSON, or what is wrong with it. The fault is kept, since other checks come before it. */
export type ReadBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ApiError };

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads and parses a body. Never throws for what a client can send; a connection cut in the middle rejects with `ClientGone`. */
export async function readJsonBody(request: IncomingMessage): Promise<ReadBody> {
  const bytes = await readBody(request, limits.bodyBytes);
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

/** JSON by its name, or no name at all: many clients send JSON without one. */
function isJsonType(header: string | undefined): boolean {
  if (header === undefined || header === "application/json" || header.trim() === "") return true;
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
