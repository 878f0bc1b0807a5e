// What can go wrong on the way out, as one typed error: where, what, and whether the other side may have seen the request.

/** How far the exchange had come. */
export type EgressStage = "check" | "connect" | "request";

/**
 * `local`: this machine's own fault (no sockets, no memory); `aborted`: the caller gave up; `invalid_request`: the caller's
 * headers or method can't be sent. All others are the destination's, or the way's to it.
 */
export type EgressErrorCode =
  | "invalid_url"
  | "blocked_address"
  | "dns_failed"
  | "connect_failed"
  | "tls_failed"
  | "timeout"
  | "reset"
  | "bad_response"
  | "invalid_request"
  | "local"
  | "aborted";

export interface EgressErrorFacts {
  readonly code: EgressErrorCode;
  readonly stage: EgressStage;
  /** Whether bytes of the request may have reached the other side. */
  readonly sent: boolean;
  readonly message: string;
  readonly cause?: unknown;
}

/** Thrown by every failed request that got no answer. Its message names no secret and no path of the URL. */
export class EgressError extends Error {
  readonly code: EgressErrorCode;
  readonly stage: EgressStage;
  readonly sent: boolean;

  constructor(facts: EgressErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "EgressError";
    this.code = facts.code;
    this.stage = facts.stage;
    this.sent = facts.sent;
  }

  /** Whether the fault lies with us, so that it says nothing about the destination. */
  get ours(): boolean {
    return this.code === "local" || this.code === "aborted" || this.code === "invalid_request";
  }
}

const localCodes = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EADDRNOTAVAIL", "ENETDOWN"]);
const timeoutCodes = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);
const responseCodes = new Set([
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RESPONSE",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** The typed form of whatever undici or Node reported. `sent` decides the stage when the error itself does not. */
export function toEgressError(error: unknown, sent: boolean): EgressError {
  if (error instanceof EgressError) return error;
  const systemCode = systemCodeOf(error);
  const code = codeOf(systemCode, sent);
  const words =
    error instanceof Error && error.message !== "" ? error.message : "the connection failed";
  return new EgressError({
    code,
    stage: sent ? "request" : "connect",
    sent,
    message: `${describe[code]}: ${words}`,
    cause: error,
  });
}

const describe: Readonly<Record<EgressErrorCode, string>> = {
  invalid_url: "the URL can't be used",
  blocked_address: "the address is not allowed",
  dns_failed: "the host's name could not be looked up",
  connect_failed: "no connection",
  tls_failed: "no secure connection",
  timeout: "no answer in time",
  reset: "the connection broke before the answer",
  bad_response: "the answer is not HTTP",
  invalid_request: "the request can't be sent",
  local: "this server is short of resources",
  aborted: "given up",
};

function codeOf(systemCode: string, sent: boolean): EgressErrorCode {
  if (localCodes.has(systemCode)) return "local";
  if (timeoutCodes.has(systemCode)) return "timeout";
  if (responseCodes.has(systemCode) || systemCode.startsWith("HPE_")) return "bad_response";
  if (systemCode === "UND_ERR_INVALID_ARG" || systemCode === "UND_ERR_NOT_SUPPORTED")
    return "invalid_request";
  if (sent) return "reset";
  if (systemCode === "ENOTFOUND" || systemCode === "ENODATA" || systemCode.startsWith("EAI_"))
    return "dns_failed";
  return isTls(systemCode) ? "tls_failed" : "connect_failed";
}

function isTls(systemCode: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|EPROTO)/.test(
    systemCode,
  );
}

function systemCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code;
  // undici's parser errors do not all carry a code.
  if (error.name === "HTTPParserError") return "HPE_INVALID";
  return error instanceof AggregateError ? systemCodeOf(error.errors[0]) : "";
}
