// Reads a request's body as JSON, bounded in size, strict in encoding.
import type { IncomingMessage } from "node:http";
import { readBody } from "@thikaa/runtime";
import { ApiError, limits } from "@thikaa/schema";

/** Reads and parses the body; an absent one is an empty object. Throws the table's errors for what is too large, not JSON, or not UTF-8. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request, limits.bodyBytes);
  if (bytes === null) throw new ApiError("payload_too_large");
  if (bytes.length === 0) return {};
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !type.endsWith("+json"))
    throw new ApiError("unsupported_media_type");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ApiError("invalid_request", { message: "The body is not JSON." });
    throw new ApiError("unsupported_media_type", { message: "The body is not text in UTF-8." });
  }
}
