// A lock: work is done one after the other, in the order in which it was asked for.

export class Lock {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the work once all earlier work has ended, well or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#last.then(work, work);
    this.#last = running.catch(() => undefined);
    return running;
  }
}
