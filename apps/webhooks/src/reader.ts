// The reader: turns each store's numbered events into deliveries, and moves its cursor in the same transaction.
import {
  advanceCursor,
  createCursor,
  insertDeliveries,
  listSubscriptions,
  lockCursor,
  readEventHeads,
  storeShard,
  storesWithUnread,
} from "@thikaa/db";
import type { Database, EventCursor, EventHead, Queryable, Subscription } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Log, Loop } from "@thikaa/runtime";
import { wants } from "./match.ts";

const reader = "webhooks";
const pageSize = 500;
const pollMs = 1_000;
const atOnce = 4;

export interface ReaderConfig {
  readonly database: Database;
  readonly log: Log;
  /** Whether this worker owns a shard of stores now. */
  readonly owns: (shard: number) => boolean;
  /** Told when there are new deliveries. */
  readonly onDeliveries: () => void;
}

export class Reader {
  readonly #config: ReaderConfig;
  readonly #rung = new Set<string>();
  readonly #loop: Loop;
  readonly #storeTrouble: Trouble;
  #polledAt = Number.NEGATIVE_INFINITY;

  private constructor(config: ReaderConfig) {
    this.#config = config;
    this.#storeTrouble = new Trouble(config.log, "a store's events could not be read");
    this.#loop = startLoop({
      work: (signal) => this.#round(signal),
      everyMs: pollMs,
      trouble: new Trouble(config.log, "events could not be read"),
    });
  }

  static start(config: ReaderConfig): Reader {
    return new Reader(config);
  }

  /** A store has new events. */
  ring(storeId: string): void {
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
      for (const storeId of await storesWithUnread(this.#config.database, reader))
        stores.add(storeId);
    }
    const owned = [...stores].filter((storeId) => this.#config.owns(storeShard(storeId)));
    await Promise.all(
      Array.from({ length: atOnce }, (_, lane) =>
        this.#readAll(
          owned.filter((_store, index) => index % atOnce === lane),
          signal,
        ),
      ),
    );
    return this.#rung.size > 0;
  }

  /** One store's trouble must not keep another store's events; the next poll finds what was left. */
  async #readAll(stores: readonly string[], signal: AbortSignal): Promise<void> {
    for (const storeId of stores) {
      if (signal.aborted) return;
      await this.#readStore(storeId).then(
        () => this.#storeTrouble.passed(),
        (error: unknown) => this.#storeTrouble.failed(error, { store_id: storeId }),
      );
    }
  }

  async #readStore(storeId: string): Promise<void> {
    const { read, queued } = await this.#config.database.transaction((transaction) =>
      readPage(transaction, storeId),
    );
    if (queued > 0) this.#config.onDeliveries();
    if (read === pageSize) this.ring(storeId);
  }
}

/**
 * Reads one page. The events are read before the endpoints: an endpoint that was there before an event was committed is then
 * seen with it, so that it can't miss the event.
 */
async function readPage(
  transaction: Queryable,
  storeId: string,
): Promise<{ read: number; queued: number }> {
  const cursor =
    (await lockCursor(transaction, reader, storeId)) ?? (await firstCursor(transaction, storeId));
  if (cursor === null) return { read: 0, queued: 0 };
  const events = await readEventHeads(transaction, {
    storeId,
    after: cursor.sequence,
    limit: pageSize,
  });
  const last = events.at(-1);
  if (last === undefined) return { read: 0, queued: 0 };
  const deliveries = deliveriesFor(events, await listSubscriptions(transaction, storeId), storeId);
  await insertDeliveries(transaction, deliveries);
  await advanceCursor(transaction, { ...cursor, sequence: last.sequence });
  return { read: events.length, queued: deliveries.length };
}

/** A store's cursor begins where its earliest endpoint does, so that nothing committed since is skipped and nothing before is replayed. */
async function firstCursor(transaction: Queryable, storeId: string): Promise<EventCursor | null> {
  const starts = (await listSubscriptions(transaction, storeId)).map(
    ({ startsAfter }) => startsAfter,
  );
  if (starts.length === 0) return null;
  await createCursor(transaction, { reader, storeId, sequence: Math.min(...starts) });
  return lockCursor(transaction, reader, storeId);
}

function deliveriesFor(
  events: readonly EventHead[],
  subscriptions: readonly Subscription[],
  storeId: string,
) {
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
