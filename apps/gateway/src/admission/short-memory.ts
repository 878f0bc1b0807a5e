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
  /** By the monotonic clock, as is the next one: from when it was asked for. */
  readonly until: number;
  /** Whoever asks from then on has it read anew. */
  readonly anewFrom: number;
}

/**
 * How long before the end of its time a value may be read anew, as shares of that time. By chance in between: what was read
 * in one moment must not be read anew in one, for who asks then would wait for all of it.
 */
const [anewAtLatest, anewAtFirst] = [0.1, 0.5];

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
    const now = performance.now();
    if (known === undefined || known.until <= now) return this.#read(key);
    // If this fails, the value is given until its time is over.
    if (known.anewFrom <= now) this.#read(key).catch(() => {});
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
    const share = anewAtLatest + (anewAtFirst - anewAtLatest) * Math.random();
    const anewFrom = until - forMs * share;
    const isCurrent = () => this.#reading.get(key) === reading;
    const reading = read(key)
      .then((value) => {
        if (isCurrent()) this.#remember(key, { value, until, anewFrom });
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
