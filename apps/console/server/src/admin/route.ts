// The shape of the admin API's routes: a table of method, path and handler.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { House } from "../house.ts";

/** One request, as a handler sees it. */
export interface Call {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, not yet checked; an empty object when the method carries none. */
  readonly body: unknown;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What is answered as JSON; `null` when the handler has answered by itself. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/api/admin/v1`, with Express's parameters. */
  readonly path: string;
  readonly handle: (house: House, call: Call) => Promise<Answer | null>;
}

/** A 200 (or other status) whose body begins with `ok: true`. */
export function ok(body: object, status = 200): Answer {
  return { status, body: { ok: true, ...body } };
}
