// A worker: a process's lease in the database, renewed in database time and fenced by the monotonic clock.
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "@thikaa/db";
import { newId } from "@thikaa/schema";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { leaseMetrics } from "./own-metrics.ts";
import { Trouble } from "./trouble.ts";

export interface WorkerConfig {
  readonly database: Database;
  /** What the worker does; workers of one role share its keys. */
  readonly role: string;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** How long a lease lasts without renewal, in milliseconds. */
  readonly ttlMs?: number;
}

const defaultTtlMs = 15_000;
/** An owner stops acting when this much of its lease is left by its own clock, which covers a slow statement and clock drift. */
const marginShare = 0.2;

export class Worker {
  readonly id: string = newId();
  readonly role: string;
  readonly #config: WorkerConfig;
  readonly #ttlMs: number;
  readonly #lostListeners = new Set<() => void>();
  readonly #trouble: Trouble;
  readonly #countLost: () => void;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #fence: NodeJS.Timeout | undefined;
  #stopped = false;
  #lost = false;

  private constructor(config: WorkerConfig) {
    this.#config = config;
    this.role = config.role;
    this.#ttlMs = config.ttlMs ?? defaultTtlMs;
    this.#trouble = new Trouble(config.log, "the worker's lease could not be renewed");
    this.#countLost = leaseMetrics(config.metrics, config.role);
  }

  /** Registers and begins to renew. Rejects when the database is away. */
  static async start(config: WorkerConfig): Promise<Worker> {
    const worker = new Worker(config);
    await config.database.query({
      text: "DELETE FROM workers WHERE expires_at < now() - interval '1 hour'",
    });
    await worker.#renew();
    worker.#schedule();
    return worker;
  }

  /** Whether the lease surely holds now, by the monotonic clock alone. Asked before every act that only an owner may do. */
  get alive(): boolean {
    return (
      !this.#stopped &&
      !this.#lost &&
      performance.now() - this.#renewedAt < this.#ttlMs * (1 - marginShare)
    );
  }

  /** Called when the lease was lost (not renewed in time): everything that was held must be let go at once. The lease begins anew afterwards. */
  onLost(listener: () => void): void {
    this.#lostListeners.add(listener);
  }

  /**
   * Says that it is ending: the others of its role share everything among themselves from now on. What it holds stays its own
   * until it is given back.
   */
  async leave(): Promise<void> {
    await this.#config.database
      .query({ text: "UPDATE workers SET leaving = true WHERE id = $1", values: [this.id] })
      // Without it the others have room only when this one is gone.
      .catch(() => {});
  }

  /** Gives the lease back. Assignments must have been released before. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#fence);
    await this.#config.database
      .query({ text: "DELETE FROM workers WHERE id = $1", values: [this.id] })
      .catch(() => {});
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      // A renewal that never comes back, over a connection that died in silence, must not be the last one.
      Promise.race([this.#renew(), pause(this.#ttlMs, undefined, { ref: false })])
        .then(
          () => this.#trouble.passed(),
          (error: unknown) => this.#trouble.failed(error),
        )
        .finally(() => this.#schedule());
    }, this.#ttlMs / 3);
  }

  async #renew(): Promise<void> {
    const begun = performance.now();
    const { rows } = await this.#config.database.query<{ was_alive: boolean }>({
      name: "worker-renew",
      text: `INSERT INTO workers AS w (id, role, host, pool, expires_at) VALUES ($1, $2, $3, $5, now() + $4 * interval '1 millisecond')
             ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at RETURNING (SELECT old.expires_at > now() FROM workers old WHERE old.id = $1) AS was_alive`,
      values: [this.id, this.role, hostname(), this.#ttlMs, this.#config.database.poolSize],
    });
    // A lease that had run out may have been taken over: what was held then is no longer ours.
    if (rows[0]?.was_alive === false) this.#loseEverything();
    // The lease runs from when it was made, not from when that was known: a late answer may be about one that is over.
    const leftMs = begun + this.#ttlMs * (1 - marginShare) - performance.now();
    if (begun < this.#renewedAt || leftMs <= 0) return;
    this.#lost = false;
    this.#renewedAt = begun;
    clearTimeout(this.#fence);
    this.#fence = setTimeout(() => this.#loseEverything(), leftMs);
    this.#fence.unref();
  }

  #loseEverything(): void {
    if (this.#lost || this.#stopped) return;
    this.#lost = true;
    this.#countLost();
    this.#config.log.error(
      { role: this.role },
      "the worker's lease ran out; everything it held is let go",
    );
    for (const listener of this.#lostListeners) listener();
  }
}
