// Settling outcomes: one batch in flight while the next one gathers, tried again until PostgreSQL has taken it.
import type { Bus } from "@thikaa/bus";
import { isUnavailable } from "@thikaa/db";
import type { Database } from "@thikaa/db";
import { recordSpan, Trouble } from "@thikaa/runtime";
import type { Log } from "@thikaa/runtime";
import { settle } from "@thikaa/sending";
import type { BegunAttempt, FinishedAttempt } from "@thikaa/sending";
import { hostLimits } from "./host-config.ts";
import type { Measures } from "./measures.ts";
import { sleep, within } from "./waiting.ts";

interface Entry {
  readonly finished: FinishedAttempt;
  readonly resolve: (next: BegunAttempt | null) => void;
  /** When it was handed over, in milliseconds since 1970. */
  readonly at: number;
}

const asideMs = 5_000;
const gatherMs = 3;

/** Takes the outcomes of every connection of the process. They are evidence: none is dropped while the process lives. */
export class Settler {
  readonly #database: Database;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #measures: Measures;
  readonly #trouble: Trouble;
  readonly #given = new AbortController();
  #waiting: Entry[] = [];
  #running: Promise<void> | null = null;

  constructor(parts: { database: Database; bus: Bus; log: Log; measures: Measures }) {
    this.#database = parts.database;
    this.#bus = parts.bus;
    this.#log = parts.log;
    this.#measures = parts.measures;
    this.#trouble = new Trouble(parts.log, "outcomes could not be written; trying again");
  }

  /** Resolves once the outcome is committed: to the attempt at the message's next part, to be made at once, or `null`. */
  settle(finished: FinishedAttempt): Promise<BegunAttempt | null> {
    return new Promise((resolve) => this.#push({ finished, resolve, at: Date.now() }));
  }

  /** Writes what waits, for so long at most; what is left then is found open by the connection's next owner. */
  async stop(graceMs: number): Promise<void> {
    if (this.#running !== null) await within(graceMs, this.#running);
    this.#given.abort();
    if (this.#waiting.length > 0)
      this.#log.error(
        { outcomes: this.#waiting.length },
        "outcomes could not be written before the end",
      );
  }

  #push(entry: Entry): void {
    this.#waiting.push(entry);
    this.#start();
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      // One may have come in between the last look and this moment.
      if (this.#waiting.length > 0 && !this.#given.signal.aborted) this.#start();
    });
  }

  async #run(): Promise<void> {
    // What is answered within a few milliseconds is settled together.
    await sleep(gatherMs);
    while (this.#waiting.length > 0 && !this.#given.signal.aborted)
      await this.#write(this.#waiting.splice(0, hostLimits.settleBatch));
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    for (let failures = 0; !this.#given.signal.aborted; failures++) {
      try {
        return this.#told(
          batch,
          await settle(
            this.#database,
            batch.map((entry) => entry.finished),
          ),
        );
      } catch (error) {
        this.#trouble.failed(error, { outcomes: batch.length });
        if (!isUnavailable(error)) return this.#divide(batch);
        await sleep(Math.min(5_000, 100 * 2 ** failures), this.#given.signal);
      }
    }
    this.#waiting.push(...batch);
  }

  /** One outcome that PostgreSQL refuses must not hold up the others: halves are tried, and a single one later again. */
  async #divide(batch: readonly Entry[]): Promise<void> {
    const [only] = batch;
    if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      await this.#write(batch.slice(0, middle));
      await this.#write(batch.slice(middle));
    } else if (only !== undefined) {
      void sleep(asideMs, this.#given.signal).then(() => this.#push(only));
    }
  }

  #told(
    batch: readonly Entry[],
    settled: { readonly next: readonly BegunAttempt[]; readonly eventsFor: readonly string[] },
  ): void {
    this.#trouble.passed();
    this.ringUnnumbered(settled.eventsFor);
    this.#measures.settled(batch.length, Date.now() - Math.min(...batch.map(({ at }) => at)));
    const next = new Map(settled.next.map((attempt) => [attempt.messageId, attempt]));
    for (const { finished, resolve, at } of batch) {
      recordSpan("outcome", {
        messageId: finished.attempt.messageId,
        attributes: { "thikaa.outcome": finished.outcome.class, "thikaa.batch": batch.length },
        startedAt: at,
      });
      const following = next.get(finished.attempt.messageId) ?? null;
      next.delete(finished.attempt.messageId);
      resolve(following);
    }
  }

  /** Rings the sequencer for stores whose events wait for numbers. */
  ringUnnumbered(storeIds: readonly string[]): void {
    this.#bus.ringUnnumbered(storeIds);
  }
}
