// What was read from a table, remembered for a short time; what is in use is read anew beforehand, so that no request waits for it.

export interface ShortMemoryOptions<Value> {
  readonly read: (key: string) => Promise<Value>;
  /** The age at which a value is no longer given, in milliseconds. */
  readonly forMs: number;
  /** Values remembered at most; at one more all are forgotten. */
  readonly most: number;
  /** Values for which this is false are not remembered. */
  readonly worth?: (value: Value) => boolean;
}

interface Remembered<Value> {
  readonly value: Value;
  /** By the monotonic clock, from when it was asked for. */
  readonly until: number;
}

/** What is asked for in the last part of a value's time has it read anew. */
const anewShare = 0.25;

export class ShortMemory<Value> {
  readonly #options: ShortMemoryOptions<Value>;
  readonly #known = new Map<string, Remembered<Value>>();
  readonly #reading = new Map<string, Promise<Value>>();

  constructor(options: ShortMemoryOptions<Value>) {
    this.#options = options;
  }

  /** The remembered value, else what the table says. */
  find(key: string): Value | Promise<Value> {
    const known = this.#known.get(key);
    const leftMs = known === undefined ? 0 : known.until - performance.now();
    if (known === undefined || leftMs <= 0) return this.#read(key);
    // If this fails, the value is given until its time is over.
    if (leftMs < this.#options.forMs * anewShare) this.#read(key).catch(() => {});
    return known.value;
  }

  /** What the table says now: asked before a refusal, which must not rest on memory. */
  findAnew(key: string): Promise<Value> {
    this.forget(key);
    return this.#read(key);
  }

  /** The value changed: what is remembered is wrong, and so may be what is being read. */
  forget(key: string): void {
    this.#known.delete(key);
    this.#reading.delete(key);
  }

  /** Forgets all values of which this is true. What is being read is not known yet, and may be one of them. */
  forgetWhere(test: (value: Value) => boolean): void {
    for (const [key, { value }] of this.#known) if (test(value)) this.#known.delete(key);
    this.#reading.clear();
  }

  /** Those who ask at the same time share one reading. */
  #read(key: string): Promise<Value> {
    const running = this.#reading.get(key);
    if (running !== undefined) return running;
    const { read, forMs } = this.#options;
    const until = performance.now() + forMs;
    const isCurrent = () => this.#reading.get(key) === reading;
    const reading = read(key)
      .then((value) => {
        if (isCurrent()) this.#remember(key, { value, until });
        return value;
      })
      .finally(() => isCurrent() && this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  #remember(key: string, remembered: Remembered<Value>): void {
    const { most, worth = () => true } = this.#options;
    if (!worth(remembered.value)) return void this.#known.delete(key);
    if (this.#known.size >= most) this.#known.clear();
    this.#known.set(key, remembered);
  }
}
