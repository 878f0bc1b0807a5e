// A batcher: while one batch is in flight, the next one gathers.

/** Decides a whole batch at once; answers in the order of its items. A throw fails every item of the batch. */
export type DecideBatch<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

export class Batcher<Item, Result> {
  readonly #decide: DecideBatch<Item, Result>;
  readonly #limit: number;
  #waiting: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] =
    [];
  #running = false;

  constructor(decide: DecideBatch<Item, Result>, limit: number) {
    this.#decide = decide;
    this.#limit = limit;
  }

  /** Puts an item into the next batch and resolves to its result. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // Requests parsed in one turn of the event loop go out together.
      if (!this.#running) {
        this.#running = true;
        setImmediate(() => void this.#run());
      }
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#limit);
      try {
        const results = await this.#decide(batch.map((entry) => entry.item));
        for (const [index, entry] of batch.entries()) {
          const result = results[index];
          if (result === undefined) entry.reject(new Error("A batch left an item undecided."));
          else entry.resolve(result);
        }
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    this.#running = false;
  }
}
