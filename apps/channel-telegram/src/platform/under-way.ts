// The calls of one client that are under way: all of them are cut off when its life ends.

export interface Cuttable {
  cut(): void;
}

/**
 * Places, taken and left, instead of a listener a call: a signal keeps listeners that were removed for as long as later ones
 * live, and with them all that a call held.
 */
export class CallsUnderWay {
  readonly #life: AbortSignal;
  readonly #calls: (Cuttable | null)[] = [];
  readonly #free: number[] = [];

  constructor(life: AbortSignal) {
    this.#life = life;
    life.addEventListener("abort", () => this.#calls.forEach((call) => call?.cut()), {
      once: true,
    });
  }

  /** Begins a call; gives its place. It is cut off at once when the life is over. */
  enter(call: Cuttable): number {
    if (this.#life.aborted) call.cut();
    const place = this.#free.pop() ?? this.#calls.length;
    this.#calls[place] = call;
    return place;
  }

  /** The call in this place has ended. */
  leave(place: number): void {
    this.#calls[place] = null;
    this.#free.push(place);
  }
}
