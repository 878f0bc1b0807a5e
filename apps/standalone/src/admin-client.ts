// The admin API as the sandbox uses it: plain requests to this house's own port.
import { z } from "zod";

const failure = z.object({ error: z.string(), message: z.string() });

export class AdminClient {
  readonly #base: string;
  readonly #token: string;

  constructor(house: { url: string; token: string }) {
    this.#base = `${house.url}/api/admin/v1`;
    this.#token = house.token;
  }

  /** Sends a request; resolves to the answer's body. Throws with the house's own words, unless the error is one of `allow`. */
  async request(method: string, path: string, body?: unknown, options: { allow?: readonly string[] } = {}): Promise<unknown> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const { error, message } = failure.parse(answer);
    if (options.allow?.includes(error)) return answer;
    throw new Error(`${method} ${path}: ${message}`);
  }
}
