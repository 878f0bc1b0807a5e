// Trouble: a failure that goes on is told by one line when it begins, one a minute while it lasts, and one when it is over.
import { isAway } from "@thikaa/db";
import type { Log } from "./log.ts";

const repeatMs = 60_000;
/** Longer than the longest wait between two tries: a success of one work must not end what another is still in. */
const quietMs = 6_000;
const away = "PostgreSQL can't serve just now; the work waits";

interface Lasting {
  readonly since: number;
  lastAt: number;
  toldAt: number;
  failures: number;
}

/** The troubles of one log: every work that writes to it shares the one line about PostgreSQL. */
const lastingOf = new WeakMap<Log, Map<string, Lasting>>();

export class Trouble {
  readonly #log: Log;
  readonly #text: string;
  readonly #lasting: Map<string, Lasting>;

  /** `text` says what fails, like "events could not be numbered". Troubles of one log with one text are the same one. */
  constructor(log: Log, text: string) {
    this.#log = log;
    this.#text = text;
    this.#lasting = lastingOf.get(log) ?? new Map<string, Lasting>();
    lastingOf.set(log, this.#lasting);
  }

  /** It failed. That PostgreSQL is away is told once for all works of the log, whichever meets it first. */
  failed(error: unknown, about: Readonly<Record<string, unknown>> = {}): void {
    const text = isAway(error) ? away : this.#text;
    const now = performance.now();
    const lasting = this.#lasting.get(text);
    // Where nobody says that it went well, a failure long after the last one is a new trouble.
    if (lasting === undefined || now - lasting.lastAt > repeatMs) {
      this.#lasting.set(text, { since: now, lastAt: now, toldAt: now, failures: 1 });
      return this.#log.warn({ error, work: this.#text, ...about }, text);
    }
    lasting.failures += 1;
    lasting.lastAt = now;
    if (now - lasting.toldAt < repeatMs) return;
    lasting.toldAt = now;
    this.#log.warn({ error, ...about, ...howLong(lasting, now) }, `${text} (still)`);
  }

  /** It went well. Cheap; to be said after every success. */
  passed(): void {
    if (this.#lasting.size === 0) return;
    const now = performance.now();
    for (const text of [away, this.#text]) {
      const lasting = this.#lasting.get(text);
      if (lasting === undefined || now - lasting.lastAt < quietMs) continue;
      this.#lasting.delete(text);
      this.#log.warn(howLong(lasting, lasting.lastAt), `over: ${text}`);
    }
  }
}

function howLong({ since, failures }: Lasting, until: number) {
  return { failures, for_seconds: Math.round((until - since) / 1_000) };
}
