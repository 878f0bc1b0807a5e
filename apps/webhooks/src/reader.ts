// The reader: turns stores' numbered events into deliveries, many stores at once, and moves its cursors in the same statement.
import {
  beginEndpointByTime,
  readEventPages,
  storeShard,
  storesWithUnread,
  writeEventPages,
} from "@thikaa/db";
import type { Database, EventPage, NewDelivery } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Log, Loop } from "@thikaa/runtime";
import type { EventType } from "@thikaa/schema";
import { wants } from "./match.ts";

const reader = "webhooks";
const pageSize = 500;
const pollMs = 1_000;
const storesAtOnce = 64;
/** Rings that come within so long are read together. */
const gatherMs = 2;

export interface ReaderConfig {
  readonly database: Database;
  readonly log: Log;
  /** Whether this worker owns a shard of stores now. */
  readonly owns: (shard: number) => boolean;
  /** Told of each endpoint with new deliveries. */
  readonly onDelivery: (endpoint: { shard: number; endpointId: string }) => void;
}

/** What a store's endpoints wanted when they were last looked at. */
interface Interest {
  readonly types: ReadonlySet<EventType>;
  readonly seenAt: number;
}

export class Reader {
  readonly #config: ReaderConfig;
  readonly #rung = new Set<string>();
  readonly #interests = new Map<string, Interest>();
  readonly #loop: Loop;
  readonly #storeTrouble: Trouble;
  #polledAt = Number.NEGATIVE_INFINITY;

  private constructor(config: ReaderConfig) {
    this.#config = config;
    this.#storeTrouble = new Trouble(config.log, "a store's events could not be read");
    this.#loop = startLoop({
      work: (signal) => this.#round(signal),
      everyMs: pollMs,
      gatherMs,
      trouble: new Trouble(config.log, "events could not be read"),
    });
  }

  static start(config: ReaderConfig): Reader {
    return new Reader(config);
  }

  /** A store has new events. Those that nobody wants are left to the poll, which passes over many at once. */
  ring(storeId: string, types: readonly EventType[]): void {
    if (!this.#config.owns(storeShard(storeId))) return;
    const interest = this.#interests.get(storeId);
    const known = interest !== undefined && performance.now() - interest.seenAt < pollMs;
    if (known && !types.some((type) => interest.types.has(type))) return;
    this.#rung.add(storeId);
    this.#loop.ring();
  }

  /** Looks at every store soon: a shard was taken. */
  poll(): void {
    this.#polledAt = Number.NEGATIVE_INFINITY;
    this.#loop.ring();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #round(signal: AbortSignal): Promise<boolean> {
    const stores = new Set(this.#rung);
    this.#rung.clear();
    if (performance.now() - this.#polledAt >= pollMs) {
      this.#polledAt = performance.now();
      this.#forgetInterests();
      for (const storeId of await storesWithUnread(this.#config.database, reader))
        stores.add(storeId);
    }
    const owned = [...stores].filter((storeId) => this.#config.owns(storeShard(storeId)));
    for (let from = 0; from < owned.length && !signal.aborted; from += storesAtOnce)
      await this.#readStores(owned.slice(from, from + storesAtOnce));
    return this.#rung.size > 0;
  }

  /** One store's trouble must not keep another store's events; the next poll finds what was left. */
  async #readStores(storeIds: readonly string[]): Promise<void> {
    try {
      await this.#read(storeIds);
      this.#storeTrouble.passed();
    } catch (error) {
      if (storeIds.length === 1) return this.#storeTrouble.failed(error, { store_id: storeIds[0] });
      for (const storeId of storeIds) await this.#readStores([storeId]);
    }
  }

  async #read(storeIds: readonly string[]): Promise<void> {
    const { database, onDelivery } = this.#config;
    const pages = await readEventPages(database, { reader, storeIds, limit: pageSize });
    const read = [];
    for (const page of pages) {
      this.#noteInterest(page);
      if (await this.#beginUnmarked(page)) continue;
      if (page.more) this.#rung.add(page.storeId);
      if (page.after !== null || page.subscriptions.length > 0)
        read.push({ page, deliveries: deliveriesOf(page) });
    }
    await writeEventPages(database, reader, read);
    for (const { deliveries } of read) {
      for (const { storeId, endpointId } of deliveries)
        onDelivery({ shard: storeShard(storeId), endpointId });
    }
  }

  /** Endpoints that nobody has marked are begun, and their store is read anew. */
  async #beginUnmarked({ storeId, subscriptions }: EventPage): Promise<boolean> {
    const unmarked = subscriptions.filter(({ startsAfter }) => startsAfter === null);
    for (const { endpointId } of unmarked)
      await beginEndpointByTime(this.#config.database, { storeId, endpointId });
    if (unmarked.length > 0) this.#rung.add(storeId);
    return unmarked.length > 0;
  }

  #noteInterest({ storeId, subscriptions }: EventPage): void {
    const types = new Set(subscriptions.flatMap(({ events }) => events));
    this.#interests.set(storeId, { types, seenAt: performance.now() });
  }

  #forgetInterests(): void {
    const oldest = performance.now() - pollMs;
    for (const [storeId, { seenAt }] of this.#interests)
      if (seenAt < oldest) this.#interests.delete(storeId);
  }
}

function deliveriesOf({ storeId, events, subscriptions }: EventPage): NewDelivery[] {
  return events.flatMap((event) =>
    subscriptions
      .filter((subscription) => wants(subscription, event))
      .map(({ endpointId }) => ({
        storeId,
        endpointId,
        eventId: event.id,
        sequence: event.sequence,
      })),
  );
}
