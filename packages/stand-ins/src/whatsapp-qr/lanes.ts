// Work that has to stay in order, one lane for each key.

/** Runs work of one key one after the other; lanes don't wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #idle: () => void;

  /** `idle` is called whenever a lane has run empty. */
  constructor(idle: () => void = () => {}) {
    this.#idle = idle;
  }

  get busy(): boolean {
    return this.#tails.size > 0;
  }

  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const tail = result
      .catch(() => {})
      .then(() => {
        if (this.#tails.get(key) !== tail) return;
        this.#tails.delete(key);
        this.#idle();
      });
    this.#tails.set(key, tail);
    return result;
  }
}
