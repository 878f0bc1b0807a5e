// Whom a "too many requests" concerns: the answer does not say, but the other recipients' answers do.

/**
 * Telegram limits a bot per chat and as a whole with the same 429. One chat's 429 concerns that chat; when another chat is
 * told to wait while the first still waits, it is the bot as a whole, and every recipient waits.
 */
export class Throttling {
  readonly #waiting = new Map<string, number>();
  readonly #now: () => number;

  /** `now` is a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Notes a 429 for a recipient and says whom it concerns. */
  scopeOf(recipient: string, waitMs: number): "recipient" | "connection" {
    const now = this.#now();
    for (const [known, until] of this.#waiting) if (until <= now) this.#waiting.delete(known);
    const isElsewhereToo = [...this.#waiting.keys()].some((known) => known !== recipient);
    this.#waiting.set(recipient, now + waitMs);
    return isElsewhereToo ? "connection" : "recipient";
  }
}
