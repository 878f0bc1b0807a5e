// Reads the arguments of a Bot API call from the query string and any of the four body encodings.
import { multipartBoundary, readMultipart } from "../http/multipart.ts";
import type { FormPart } from "../http/multipart.ts";

/** The arguments of one call, as text like the real server keeps them: nested values are JSON. */
export interface CallArguments {
  /** What was sent, for the record: JSON values as they came, everything else as text. */
  readonly sent: Record<string, unknown>;
  /** Uploaded files by the name of their part. */
  readonly files: ReadonlyMap<string, FormPart>;
  /** The argument as text; empty when absent. */
  text(name: string): string;
  /** A whole number clamped to the limits; the fallback when absent. */
  integer(name: string, fallback: number, limits?: { min: number; max: number }): number;
  boolean(name: string): boolean;
  /** A JSON argument; undefined when absent or not JSON. */
  json(name: string): unknown;
}

/** Gathers arguments; the query string wins over the body, as on the real server. A body that is not what it says gives none. */
export function readCallArguments(
  query: URLSearchParams,
  contentType: string,
  body: Buffer,
): CallArguments {
  const sent: Record<string, unknown> = {};
  const files = new Map<string, FormPart>();
  readBodyInto({ contentType: contentType.toLowerCase(), header: contentType, body, sent, files });
  for (const [name, value] of query) sent[name] = value;
  return argumentsOf(sent, files);
}

/** Arguments from a plain object: what a webhook answer with a `method` carries. */
export function argumentsOf(
  sent: Record<string, unknown>,
  files: Map<string, FormPart> = new Map(),
): CallArguments {
  const text = (name: string): string => {
    const value = Object.hasOwn(sent, name) ? sent[name] : undefined;
    if (value === undefined || value === null) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  return {
    sent,
    files,
    text,
    integer(name, fallback, limits) {
      if (text(name) === "") return fallback;
      const value = Number.parseInt(text(name), 10) || 0;
      return limits ? Math.min(Math.max(value, limits.min), limits.max) : value;
    },
    boolean: (name) => ["true", "yes", "1"].includes(text(name).trim().toLowerCase()),
    json(name) {
      const value = sent[name];
      return typeof value === "string" ? parseJson(value) : value;
    },
  };
}

interface BodyTarget {
  contentType: string;
  header: string;
  body: Buffer;
  sent: Record<string, unknown>;
  files: Map<string, FormPart>;
}

function readBodyInto({ contentType, header, body, sent, files }: BodyTarget): void {
  if (body.length === 0) return;
  if (contentType.includes("application/json")) {
    const value = parseJson(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      Object.assign(sent, value);
  } else if (contentType.includes("application/x-www-form-urlencoded")) {
    for (const [name, value] of new URLSearchParams(body.toString("utf8"))) sent[name] = value;
  } else if (contentType.includes("multipart/form-data")) {
    const boundary = multipartBoundary(header);
    for (const part of boundary === null ? [] : readMultipart(body, boundary)) {
      if (part.fileName === null) sent[part.name] = part.data.toString("utf8");
      else files.set(part.name, part);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
