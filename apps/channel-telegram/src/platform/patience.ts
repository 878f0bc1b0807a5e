// How long a call is waited for, counted so that a process that slept still reads the answer that came meanwhile.

/** The last piece of a wait. */
const lastMs = 500;

/** Begins to wait at once; `end` must be called when the call has ended. */
export class Patience {
  readonly #call = new AbortController();
  readonly #ends: readonly AbortSignal[];
  readonly #cut = () => this.cut();
  #timer: NodeJS.Timeout;
  #isOver = false;

  /** The call ends too when one of `ends` aborts. */
  constructor(milliseconds: number, ends: readonly AbortSignal[] = []) {
    this.#ends = ends;
    for (const signal of ends) {
      if (signal.aborted) this.#cut();
      else signal.addEventListener("abort", this.#cut, { once: true });
    }
    // A process that was stopped, or starved, finds its timers due before it has read its sockets. The last piece begins only
    // once it runs, so an answer that had come is read in it; cutting the call off at once would throw that answer away.
    this.#timer = setTimeout(
      () => {
        this.#timer = setTimeout(() => this.#finish(), lastMs);
      },
      Math.max(0, milliseconds - lastMs),
    );
  }

  /** Aborts when the call must end. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Whether the time was over before the call had ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the call now. */
  cut(): void {
    this.#call.abort();
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const signal of this.#ends) signal.removeEventListener("abort", this.#cut);
  }

  #finish(): void {
    this.#isOver = true;
    this.cut();
  }
}
