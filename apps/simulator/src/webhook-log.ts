// Keeps the last deliveries a store's webhooks received here, with their signatures checked.
import type { IncomingHttpHeaders } from "node:http";
import { checkSignatures } from "./signatures.ts";
import type { SignatureVerdicts } from "./signatures.ts";

/** One delivery as the page shows it. `event`, `from` and `text` are null when the body does not say. */
export interface LoggedDelivery {
  n: number;
  name: string;
  receivedAt: string;
  headers: IncomingHttpHeaders;
  body: string;
  event: string | null;
  channel: string | null;
  from: string | null;
  text: string | null;
  signatures: SignatureVerdicts;
}

const MOST_DELIVERIES = 200;

/** The log. Secrets stay inside: they are never listed. */
export class WebhookLog {
  readonly #secrets = new Map<string, string>();
  readonly #deliveries: LoggedDelivery[] = [];
  readonly #listeners = new Set<(delivery: LoggedDelivery) => void>();
  #received = 0;

  /** From now on deliveries to this name are checked with this secret; a new one replaces the old. */
  register(name: string, secret: string): void {
    this.#secrets.set(name, secret);
  }

  /** Takes one delivery and checks it. */
  receive(delivery: { name: string; headers: IncomingHttpHeaders; body: Buffer }): LoggedDelivery {
    const receivedAt = new Date();
    const { name, headers, body } = delivery;
    this.#received += 1;
    const logged: LoggedDelivery = {
      n: this.#received,
      name,
      receivedAt: receivedAt.toISOString(),
      headers,
      body: body.toString("utf8"),
      ...summary(body.toString("utf8"), headers),
      signatures: checkSignatures({ headers, body, receivedAt }, this.#secrets.get(name) ?? null),
    };
    this.#deliveries.unshift(logged);
    this.#deliveries.length = Math.min(this.#deliveries.length, MOST_DELIVERIES);
    for (const listener of this.#listeners) listener(logged);
    return logged;
  }

  /** The last 200, newest first. */
  list(): readonly LoggedDelivery[] {
    return this.#deliveries;
  }

  /** Calls the listener for each delivery from now on; the returned function ends it. */
  listen(listener: (delivery: LoggedDelivery) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

type Summary = Pick<LoggedDelivery, "event" | "channel" | "from" | "text">;

/** The line to show. Whatever arrives is shown: a body that is not JSON has no summary. */
function summary(body: string, headers: IncomingHttpHeaders): Summary {
  const whole = parseObject(body);
  const data = objectIn(whole?.["data"]);
  const contact = objectIn(data?.["contact"]);
  return {
    event: text(whole?.["event"]) ?? text(headers["x-thikaa-event"]),
    channel: text(data?.["channel"]),
    from: text(contact?.["name"]) ?? text(data?.["from"]),
    text: text(data?.["message"]) ?? text(data?.["status"]),
  };
}

function parseObject(body: string): Record<string, unknown> | null {
  try {
    return objectIn(JSON.parse(body));
  } catch {
    return null;
  }
}

function objectIn(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? { ...value } : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
