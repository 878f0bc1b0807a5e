// The logger: one JSON line an event, from an allow-list of fields; secrets and people's words have no field to stand in.
import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type Log = Logger;

export interface LogConfig {
  readonly name: string;
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
}

const secretFields = [
  "token",
  "secret",
  "password",
  "authorization",
  "api_key",
  "apiKey",
  "credentials",
  "text",
  "message_text",
  "body",
  "payload",
];
const redactedPaths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** A provider's token in a URL path (`/bot123:abc/…`), a key of ours, a webhook secret, what stands before the host in a URL. */
const secretPatterns: readonly [RegExp, string][] = [
  [/(?<!\d)\d{5,16}:[A-Za-z0-9_-]{20,}/g, "[token]"],
  [/\btk_live_[0-9A-Za-z]+/g, "[api key]"],
  [/\bwhsec_[0-9A-Za-z+/=_-]+/g, "[webhook secret]"],
  [/:\/\/[^/\s"]+@/g, "://[credentials]@"],
];

/** A text without anything in it that looks like a secret of ours or of a provider. */
export function scrub(text: string): string {
  return secretPatterns.reduce(
    (scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement),
    text,
  );
}

/** A logger to stderr (or `destination`). Errors are logged by name, code, message and stack, scrubbed; their other fields are left out. */
export function createLog(
  config: LogConfig,
  destination: DestinationStream = pino.destination({ dest: 2, sync: false }),
): Log {
  return pino(
    {
      name: config.name,
      level: config.level,
      base: { name: config.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: redactedPaths, censor: "[hidden]" },
      serializers: { error: describeError, err: describeError },
      formatters: { level: (label) => ({ level: label }) },
      // The last gate: whatever way a secret came into the line.
      hooks: { streamWrite: scrub },
    },
    destination,
  );
}

/** What may be logged of anything thrown. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: scrub(String(error)) };
  const code =
    "code" in error && (typeof error.code === "string" || typeof error.code === "number")
      ? error.code
      : undefined;
  const cause = error.cause instanceof Error ? describeError(error.cause) : undefined;
  return {
    name: error.name,
    code,
    message: scrub(error.message),
    stack: error.stack === undefined ? undefined : scrub(error.stack),
    cause,
  };
}
