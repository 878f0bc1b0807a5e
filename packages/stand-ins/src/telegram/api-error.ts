// The errors of the Bot API, with the texts of the real server.

/** What an error may carry beside its text. */
export interface ErrorParameters {
  retry_after?: number;
  migrate_to_chat_id?: number;
}

/** An answer with `ok: false`; its code is the HTTP status too. */
export class ApiError extends Error {
  readonly code: number;
  readonly parameters: ErrorParameters | undefined;

  constructor(code: number, description: string, parameters?: ErrorParameters) {
    super(description);
    this.name = "ApiError";
    this.code = code;
    this.parameters = parameters;
  }

  /** The JSON body of the answer. */
  body(): Record<string, unknown> {
    const parameters = this.parameters ? { parameters: this.parameters } : {};
    return { ok: false, error_code: this.code, description: this.message, ...parameters };
  }
}

export function badRequest(text: string): ApiError {
  return new ApiError(400, `Bad Request: ${text}`);
}

export function forbidden(text: string): ApiError {
  return new ApiError(403, `Forbidden: ${text}`);
}

export function unauthorized(detail?: string): ApiError {
  return new ApiError(401, detail ? `Unauthorized: ${detail}` : "Unauthorized");
}

export function conflict(text: string): ApiError {
  return new ApiError(409, `Conflict: ${text}`);
}

/** 429 with the seconds to wait, in the body and (by the server) in `Retry-After`. */
export function tooManyRequests(seconds: number): ApiError {
  return new ApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}
