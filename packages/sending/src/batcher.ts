// A batcher: while batches are in flight, the next one gathers.

/** Decides a whole batch at once; answers in the order of its items. A throw fails every item of the batch. */
export type DecideBatch<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

export interface BatcherOptions {
  /** Items in a batch, at most. */
  readonly limit: number;
  /** Batches that are decided at the same time; 1 by default. */
  readonly inFlight?: number;
  /** Gathers for so long before it decides, in milliseconds; otherwise what came in one turn of the event loop goes out together. */
  readonly gatherMs?: number;
}

/** Fewer than this are not divided: each batch has its price. */
const smallestShare = 16;

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher<Item, Result> {
  readonly #decide: DecideBatch<Item, Result>;
  readonly #limit: number;
  readonly #most: number;
  readonly #later: (work: () => void) => unknown;
  #waiting: Entry<Item, Result>[] = [];
  #inFlight = 0;
  #planned = false;

  constructor(decide: DecideBatch<Item, Result>, options: BatcherOptions) {
    this.#decide = decide;
    this.#limit = options.limit;
    this.#most = options.inFlight ?? 1;
    const { gatherMs } = options;
    this.#later = gatherMs === undefined ? setImmediate : (work) => setTimeout(work, gatherMs);
  }

  /** Puts an item into the next batch and resolves to its result. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#planned || this.#inFlight >= this.#most) return;
    this.#planned = true;
    this.#later(() => {
      this.#planned = false;
      if (this.#waiting.length > 0) void this.#run(this.#waiting.splice(0, this.#share()));
      if (this.#waiting.length > 0) this.#plan();
    });
  }

  /** What waits is shared among the batches that may begin now: while one of them waits for the disk, another one works. */
  #share(): number {
    const even = Math.ceil(this.#waiting.length / (this.#most - this.#inFlight));
    return Math.min(this.#limit, Math.max(smallestShare, even));
  }

  async #run(batch: readonly Entry<Item, Result>[]): Promise<void> {
    this.#inFlight += 1;
    const answer = await this.#answerTo(batch);
    this.#inFlight -= 1;
    if (this.#waiting.length === 0) return answer();
    // What has gathered goes out before these are answered: whoever decides works while the answers are given.
    this.#plan();
    setImmediate(answer);
  }

  /** Decides a batch; what is returned gives each item its own result. Never rejects. */
  async #answerTo(batch: readonly Entry<Item, Result>[]): Promise<() => void> {
    try {
      const results = await this.#decide(batch.map((entry) => entry.item));
      return () => giveResults(batch, results);
    } catch (error) {
      return () => {
        for (const entry of batch) entry.reject(error);
      };
    }
  }
}

function giveResults<Item, Result>(
  batch: readonly Entry<Item, Result>[],
  results: readonly Result[],
): void {
  for (const [index, entry] of batch.entries()) {
    const result = results[index];
    if (result === undefined) entry.reject(new Error("A batch left an item undecided."));
    else entry.resolve(result);
  }
}
