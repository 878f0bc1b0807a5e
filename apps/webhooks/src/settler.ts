// The settler: writes what came of attempts in batches, and keeps trying while the database is away.
import { recordEndpointHealth, settleDeliveries } from "@thikaa/db";
import type { Database, EndpointHealth, SettledDelivery } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Log, Loop } from "@thikaa/runtime";

const batchSize = 500;
const gatherMs = 2;

interface Waiting {
  readonly settled: SettledDelivery;
  readonly health: EndpointHealth | null;
  readonly done: () => void;
}

export class Settler {
  readonly #database: Database;
  readonly #worker: string;
  readonly #loop: Loop;
  #waiting: Waiting[] = [];

  constructor(config: { database: Database; worker: string; log: Log }) {
    this.#database = config.database;
    this.#worker = config.worker;
    this.#loop = startLoop({
      work: () => this.#write(),
      everyMs: 1_000,
      gatherMs,
      trouble: new Trouble(config.log, "outcomes of deliveries could not be written yet"),
    });
  }

  /** Resolves when the outcome is committed, and what it changed of the endpoint's health with it. */
  settle(settled: SettledDelivery, health: EndpointHealth | null = null): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ settled, health, done: resolve });
      this.#loop.ring();
    });
  }

  /** Ends. What could not be written is found by the shard's next owner as an attempt without an end. */
  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #write(): Promise<boolean> {
    const batch = this.#waiting.slice(0, batchSize);
    if (batch.length === 0) return false;
    // The latest of each endpoint: one statement can't change a row twice. First, so that whoever sees the end sees what it led to.
    const healths = new Map(
      batch.flatMap(({ health }) => (health === null ? [] : [[health.endpointId, health]])),
    );
    await recordEndpointHealth(this.#database, [...healths.values()]);
    await settleDeliveries(
      this.#database,
      this.#worker,
      batch.map(({ settled }) => settled),
    );
    this.#waiting = this.#waiting.slice(batch.length);
    for (const { done } of batch) done();
    return this.#waiting.length > 0;
  }
}
