// The keys of one linked device: read through a bounded cache, changed in transactions that are durable before they end.
import { AsyncLocalStorage } from "node:async_hooks";
import type { RawItem } from "@thikaa/connector-kit";
import type {
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStoreWithTransaction,
} from "@whiskeysockets/baileys";
import { readKey, writeText } from "./key-text.ts";
import type { KeyType } from "./key-text.ts";
import { Lock } from "./lock.ts";

/** Where keys are kept: `ConnectorContext.state`, with the items that came in. */
export interface KeyShelf {
  get(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Everything in one transaction of the database; resolves when it is committed. */
  set(values: Readonly<Record<string, string | null>>, items: readonly RawItem[]): Promise<void>;
}

export interface KeyStoreOptions {
  readonly shelf: KeyShelf;
  /** Begins every key's name: keys of an earlier pairing lie beside those of this one. */
  readonly prefix: string;
  /** Credentials that changed and are not kept yet, as the value of their key; `null` when there are none. */
  readonly takeCredentials: () => Readonly<Record<string, string>> | null;
  /** The store could not read or write: what it says from now on can't be relied on, and it refuses everything. */
  readonly onFault: (error: Error) => void;
}

interface Transaction {
  readonly read: Map<string, string | null>;
  changes: Map<string, string | null>;
  items: RawItem[];
  /** Plaintexts of what was decrypted in it, as they were. */
  readonly plaintexts: Uint8Array[];
  committed: boolean;
  open: boolean;
}

/** One call of the database takes no longer, or the device is opened anew. */
const shelfTimeoutMs = 15_000;
const mostCached = 512;
/** What a ratchet is made of waits for the transaction in progress, which may have read it already. */
const ratchetTypes: readonly string[] = ["session", "pre-key", "sender-key", "identity-key"];

/**
 * Baileys' own transactions lock by a label that differs between sending and receiving, so that one overwrites the other's
 * ratchet step, and they write on after their end. Here one lock serves all, a transaction is one write, and what happens
 * after its end is written by itself.
 */
export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #current = new AsyncLocalStorage<Transaction>();
  readonly #transactions = new Lock();
  readonly #writes = new Lock();
  readonly #cached = new Map<string, string | null>();
  /** Counts the beginnings and ends of writes. */
  #changed = 0;
  #fault: Error | null = null;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
  }

  /** As Baileys takes it, and takes apart. */
  get forBaileys(): SignalKeyStoreWithTransaction {
    return {
      get: (type, ids) => this.get(type, ids),
      set: (data) => this.set(data),
      isInTransaction: () => this.#transaction !== null,
      transaction: (work, label) => this.transaction(work, label),
      commit: () => this.commit(),
    };
  }

  async get<Type extends KeyType>(
    type: Type,
    ids: string[],
  ): Promise<Record<string, SignalDataTypeMap[Type]>> {
    const found = await this.#read(ids.map((id) => this.#nameOf(type, id)));
    return Object.fromEntries(
      ids.flatMap((id) => {
        const text = found.get(this.#nameOf(type, id)) ?? null;
        return text === null ? [] : [[id, readKey(type, text)]];
      }),
    );
  }

  async set(data: SignalDataSet): Promise<void> {
    const changes = this.#changesOf(data);
    const transaction = this.#transaction;
    if (transaction !== null) {
      for (const [name, text] of changes) transaction.changes.set(name, text);
      return;
    }
    const write = () => this.#write(changes, []);
    const isRatchet = Object.keys(data).some((type) => ratchetTypes.includes(type));
    await (isRatchet ? this.#transactions.run(write) : write());
  }

  async transaction<T>(work: () => Promise<T>, label: string): Promise<T> {
    // Looked up for several callers at once, one of whom may hold the lock; and it is a single write anyway.
    if (this.#transaction !== null || label === "lid-mapping") return work();
    return this.#transactions.run(() => this.#run(work));
  }

  /** Makes durable what the transaction in progress has changed so far, with the items that were added to it. */
  async commit(): Promise<void> {
    const transaction = this.#transaction;
    if (transaction === null) return;
    const { changes, items } = transaction;
    for (const [name, text] of changes) transaction.read.set(name, text);
    transaction.changes = new Map();
    transaction.items = [];
    await this.#write(changes, items);
    transaction.committed = true;
  }

  /** Whether the transaction in progress has committed: what is sent by it may leave from then on. */
  get hasCommitted(): boolean {
    return this.#transaction?.committed ?? false;
  }

  /** Adds what came in, and values beside the keys, to the transaction in progress. Throws when there is none. */
  keep(items: readonly RawItem[], values: Readonly<Record<string, string>>): void {
    const transaction = this.#transaction;
    if (transaction === null) throw new Error("Nothing is kept outside of a transaction.");
    transaction.items.push(...items);
    for (const [name, text] of Object.entries(values)) transaction.changes.set(name, text);
  }

  /** Remembers a plaintext until the end of the transaction in progress. */
  notePlaintext(bytes: Uint8Array): void {
    this.#transaction?.plaintexts.push(bytes);
  }

  /** What was decrypted in the transaction in progress. */
  get plaintexts(): readonly Uint8Array[] {
    return this.#transaction?.plaintexts ?? [];
  }

  /** Writes credentials that changed, unless a transaction has taken them along by then. */
  async saveCredentials(): Promise<void> {
    // The transaction in progress takes them along.
    if (this.#transaction === null) await this.#write(new Map(), []);
  }

  /**
   * Resolves when everything that was to be written is. From then on nothing is read or written: what a socket left running
   * must not write over the keys of the next one, or leave something of a connection that is gone.
   */
  async close(): Promise<void> {
    await this.#transactions.run(() => Promise.resolve());
    await this.#writes.run(() => {
      this.#fault ??= new Error("The socket of these keys has ended.");
      return Promise.resolve();
    });
  }

  /** The transaction whose work asks. What it left running after its end belongs to none. */
  get #transaction(): Transaction | null {
    const transaction = this.#current.getStore();
    return transaction?.open === true ? transaction : null;
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    const transaction: Transaction = {
      read: new Map(),
      changes: new Map(),
      items: [],
      plaintexts: [],
      committed: false,
      open: true,
    };
    try {
      return await this.#current.run(transaction, async () => {
        const result = await work();
        await this.commit();
        return result;
      });
    } finally {
      transaction.open = false;
    }
  }

  async #read(names: readonly string[]): Promise<Map<string, string | null>> {
    const found = new Map<string, string | null>();
    for (const name of names) {
      const known = this.#known(name);
      if (known !== undefined) found.set(name, known);
    }
    const missing = names.filter((name) => !found.has(name));
    if (missing.length === 0) return found;
    const asked = this.#changed;
    const kept = await this.#guarded(() => this.#options.shelf.get(missing));
    for (const name of missing) {
      const text = kept.get(name) ?? null;
      found.set(name, text);
      this.#transaction?.read.set(name, text);
      // What was written meanwhile may be newer than what was read.
      if (asked === this.#changed) this.#cache(name, text);
    }
    return found;
  }

  #known(name: string): string | null | undefined {
    const transaction = this.#transaction;
    for (const values of [transaction?.changes, transaction?.read, this.#cached])
      if (values?.has(name) === true) return values.get(name);
    return undefined;
  }

  #write(changes: ReadonlyMap<string, string | null>, items: readonly RawItem[]): Promise<void> {
    return this.#writes.run(async () => {
      const values = { ...Object.fromEntries(changes), ...this.#options.takeCredentials() };
      if (items.length === 0 && Object.keys(values).length === 0) return;
      this.#changed += 1;
      // Until it is known what the database has, nothing may answer in its place.
      for (const name of changes.keys()) this.#cached.delete(name);
      await this.#guarded(() => this.#options.shelf.set(values, items));
      this.#changed += 1;
      // Pre-keys come by the hundred and are read once.
      if (changes.size > mostCached / 4) return;
      for (const [name, text] of changes) this.#cache(name, text);
    });
  }

  /** Any failure is the end: Baileys takes a session that can't be read for one that is not there, and makes another. */
  async #guarded<T>(call: () => Promise<T>): Promise<T> {
    if (this.#fault !== null) throw this.#fault;
    try {
      return await withinTime(call());
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error("the store failed", { cause });
      this.#fault ??= error;
      this.#options.onFault(error);
      throw error;
    }
  }

  #cache(name: string, text: string | null): void {
    this.#cached.delete(name);
    this.#cached.set(name, text);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > mostCached && oldest !== undefined) this.#cached.delete(oldest);
  }

  #changesOf(data: SignalDataSet): Map<string, string | null> {
    return new Map(
      Object.entries(data).flatMap(([type, values]) =>
        Object.entries(values ?? {}).map(([id, value]): [string, string | null] => [
          this.#nameOf(type, id),
          value === null || value === undefined ? null : writeText(value),
        ]),
      ),
    );
  }

  #nameOf(type: string, id: string): string {
    return `${this.#options.prefix}${type}/${id}`;
  }
}

async function withinTime<T>(call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error("The database did not answer in time.")),
    shelfTimeoutMs,
  );
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
