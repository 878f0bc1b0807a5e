// Keeps one program running: it is started again, a little later each time, whenever it ends unasked.
import { setTimeout as pause } from "node:timers/promises";

/** A program that runs now. */
export interface Running {
  readonly pid: number;
  /** Resolves to why it ended, in a few words; never rejects. */
  readonly exited: Promise<string>;
  /** Ends it and resolves when it is gone. */
  stop(): Promise<void>;
}

export interface KeeperConfig {
  readonly name: string;
  /** Starts the program; rejects when it can't be started. */
  readonly launch: () => Promise<Running>;
  /** Gets one line each time the program ended unasked or could not be started. */
  readonly say: (line: string) => void;
}

const firstBackoffMs = 100;
const lastBackoffMs = 5_000;
/** A program that ran this long was well; the next backoff begins anew. */
const wellAfterMs = 10_000;

export class Keeper {
  readonly name: string;
  readonly #config: KeeperConfig;
  #running: Running | null = null;
  #wanted = false;
  #watching: Promise<void> = Promise.resolve();
  #wake = new AbortController();

  constructor(config: KeeperConfig) {
    this.name = config.name;
    this.#config = config;
  }

  /** The program's process id, or `null` between two runs. */
  get pid(): number | null {
    return this.#running?.pid ?? null;
  }

  /** Starts the program and keeps it from then on. Rejects when the first start fails. */
  async start(): Promise<void> {
    this.#wanted = true;
    this.#wake = new AbortController();
    this.#running = await this.#config.launch();
    this.#watching = this.#watch(this.#running);
  }

  /** Ends the program for good, until `start`. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#wake.abort();
    await this.#running?.stop();
    await this.#watching;
  }

  /** Sends a signal to the program as it runs now; what comes of it is the keeper's care. Throws when it does not run. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running === null) throw new Error(`${this.name} does not run now.`);
    process.kill(this.#running.pid, signal);
  }

  async #watch(first: Running): Promise<void> {
    let running: Running | null = first;
    let backoffMs = firstBackoffMs;
    for (;;) {
      const begun = performance.now();
      const why: string = running === null ? "could not start" : await running.exited;
      this.#running = null;
      if (!this.#wanted) return;
      if (performance.now() - begun > wellAfterMs) backoffMs = firstBackoffMs;
      this.#config.say(`${this.name} ${why}; it is started again in ${backoffMs / 1000} s`);
      await pause(backoffMs, undefined, { signal: this.#wake.signal }).catch(() => {});
      backoffMs = Math.min(backoffMs * 2, lastBackoffMs);
      if (!this.#wanted) return;
      running = await this.#launchAgain();
      this.#running = running;
      // Asked to end while it was being started.
      if (!this.#stillWanted()) await running?.stop();
    }
  }

  #stillWanted(): boolean {
    return this.#wanted;
  }

  async #launchAgain(): Promise<Running | null> {
    try {
      return await this.#config.launch();
    } catch (error) {
      this.#config.say(`${this.name}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
}
