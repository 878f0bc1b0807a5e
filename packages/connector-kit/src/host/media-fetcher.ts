// Fetching customers' files: claims those of this process's connections, streams each from the provider into the blob store, and settles what came of it.
import { BlobStoreError, BlobTooLargeError } from "@thikaa/blobs";
import type { BlobStore, StoredBlob } from "@thikaa/blobs";
import type { Bus } from "@thikaa/bus";
import { claimMediaFetches, retryMediaFetch, settleMedia } from "@thikaa/db";
import type { Database, MediaFetch, MediaResult } from "@thikaa/db";
import { startLoop, Trouble } from "@thikaa/runtime";
import type { Counter, Log, Loop, Metrics, Worker } from "@thikaa/runtime";
import { backoffMs, backoffSeconds, mediaReasonOf } from "@thikaa/schema";
import type { ConnectedAccount } from "../connected-account.ts";
import { MediaFault } from "../media.ts";
import type { ProviderFile } from "../media.ts";
import { startBlobSweeper } from "./blob-sweeper.ts";
import type { ConnectionIdentity } from "./identity.ts";
import { sleep } from "./waiting.ts";

export interface MediaFetcherParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly blobs: BlobStore;
}

export interface FetchedConnection {
  readonly connection: ConnectionIdentity;
  readonly epoch: number;
  readonly account: ConnectedAccount;
}

interface Entry extends FetchedConnection {
  readonly life: AbortController;
  readonly running: Set<Promise<void>>;
}

const mediaLimits = {
  /** Files fetched at once: of one connection, and in all. A large one holds some 8 MiB on its way to an S3 store. */
  ofConnection: 4,
  inAll: 24,
  bytes: 128 * 1_048_576,
  /** Milliseconds for one file, and without a byte moved. */
  totalMs: 300_000,
  stallMs: 20_000,
  /** Failures of the provider after which a file is given up: a try for each step of the backoff. */
  failures: backoffSeconds.length + 1,
  /** Milliseconds until a media store that is away is tried again. It fails no file, however long it lasts. */
  storeRetryMs: 5_000,
} as const;

/** What becomes of a fetch that did not bring the file. */
type Failure =
  | { readonly kind: "final"; readonly result: MediaResult }
  | {
      readonly kind: "again";
      readonly afterMs: number;
      readonly counts: boolean;
      /** Nothing was left in the media store, certainly. */
      readonly empty: boolean;
    };

export class MediaFetcher {
  readonly #parts: MediaFetcherParts;
  readonly #entries = new Set<Entry>();
  readonly #loop: Loop;
  readonly #sweeper: Loop;
  readonly #fetched: Counter;

  constructor(parts: MediaFetcherParts) {
    this.#parts = parts;
    this.#fetched = parts.metrics.counter(
      "connector_media_total",
      "Customers' files, by what came of a fetch: ready, failed, or again.",
      ["channel", "result"],
    );
    this.#loop = startLoop({
      everyMs: 1_000,
      trouble: new Trouble(parts.log, "customers' files could not be claimed"),
      work: () => this.#claim(),
    });
    this.#sweeper = startBlobSweeper(parts);
  }

  /** Fetches the files of an open connection, until the given function is called: it gives back what is in the middle. */
  add(fetched: FetchedConnection): () => Promise<void> {
    const entry: Entry = { ...fetched, life: new AbortController(), running: new Set() };
    this.#entries.add(entry);
    this.#loop.ring();
    return async () => {
      this.#entries.delete(entry);
      entry.life.abort();
      await Promise.all(entry.running);
    };
  }

  /** Something is due to be fetched. */
  ring(): void {
    if (this.#entries.size > 0) this.#loop.ring();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#sweeper.stop();
  }

  async #claim(): Promise<boolean> {
    const { database, worker } = this.#parts;
    const entries = new Map([...this.#entries].map((entry) => [entry.connection.id, entry]));
    const running = [...entries.values()].reduce((sum, entry) => sum + entry.running.size, 0);
    const limit = mediaLimits.inAll - running;
    const connections = [...entries.values()].flatMap(({ connection, epoch, running: own }) => {
      const free = mediaLimits.ofConnection - own.size;
      return free > 0 ? [{ id: connection.id, epoch, free }] : [];
    });
    if (!worker.alive || limit <= 0 || connections.length === 0) return false;
    const claimed = await claimMediaFetches(database, {
      worker: worker.id,
      connections,
      limit,
      leaseSeconds: (2 * mediaLimits.totalMs) / 1_000,
    });
    for (const fetch of claimed) {
      const entry = entries.get(fetch.connection_id);
      if (entry !== undefined) this.#begin(entry, fetch);
    }
    return false;
  }

  #begin(entry: Entry, fetch: MediaFetch): void {
    const fetching = this.#fetch(entry, fetch).finally(() => {
      entry.running.delete(fetching);
      this.#loop.ring();
    });
    entry.running.add(fetching);
  }

  async #fetch(entry: Entry, fetch: MediaFetch): Promise<void> {
    const { blobs } = this.#parts;
    const { channel } = entry.connection;
    try {
      const { file, blob } = await this.#keep(entry, fetch);
      const { key: blobKey, size, sha256 } = blob;
      const { mime, name } = file;
      const result: MediaResult = { status: "ready", blobKey, size, sha256, mime, name };
      this.#fetched.inc({ channel, result: "ready" });
      if (!(await this.#settle(entry, fetch, result))) await blobs.delete(blobKey);
    } catch (error) {
      const failure = failureOf(error, fetch, entry.life.signal);
      this.#fetched.inc({ channel, result: failure.kind === "final" ? "failed" : "again" });
      this.#tell(error, fetch, entry);
      await this.#finishFailed(entry, fetch, failure).catch((problem: unknown) =>
        this.#parts.log.warn(
          { error: problem, media: fetch.media_id },
          "a file's fetch could not be given back; it is made again later",
        ),
      );
    }
  }

  /** Streams the file from the provider into the blob store. */
  async #keep(
    { account, life }: Entry,
    fetch: MediaFetch,
  ): Promise<{ file: ProviderFile; blob: StoredBlob }> {
    if (account.media === undefined)
      throw new MediaFault({ reason: mediaReasonOf("media_unreachable"), final: true });
    const stalled = new AbortController();
    const watchdog = setTimeout(() => stalled.abort(), mediaLimits.stallMs);
    const signal = AbortSignal.any([
      life.signal,
      stalled.signal,
      AbortSignal.timeout(mediaLimits.totalMs),
    ]);
    try {
      const file = await account.media.open(fetch.reference, signal);
      const bytes = watched(file.bytes, watchdog);
      const blob = await this.#parts.blobs.put(bytes, {
        key: fetch.blob_key,
        maxBytes: mediaLimits.bytes,
        signal,
      });
      return { file, blob };
    } finally {
      clearTimeout(watchdog);
    }
  }

  async #finishFailed(entry: Entry, fetch: MediaFetch, failure: Failure): Promise<void> {
    if (failure.kind === "final") await this.#settle(entry, fetch, failure.result);
    else await retryMediaFetch(this.#parts.database, fetch, failure);
  }

  /** Tries until it is written: bytes that were kept are not fetched again because PostgreSQL was away. `false` when they are of no use. */
  async #settle(entry: Entry, fetch: MediaFetch, result: MediaResult): Promise<boolean> {
    const { database, bus, log } = this.#parts;
    const media = { storeId: fetch.store_id, id: fetch.media_id };
    const trouble = new Trouble(log, "what came of a file could not be written; trying again");
    for (let failures = 0; ; failures++) {
      try {
        const { settled, shard } = await settleMedia(database, media, result);
        trouble.passed();
        if (shard !== null)
          bus.ring(
            { ring: "in", to: [entry.connection.channel, entry.connection.id] },
            {
              store_id: fetch.store_id,
              connection_id: fetch.connection_id,
              shard,
              item: { kind: "media", media_id: fetch.media_id },
            },
          );
        return settled;
      } catch (error) {
        trouble.failed(error, { media: fetch.media_id });
        // It may have been written all the same: bytes that nobody needs are better than a link to none.
        if (entry.life.signal.aborted) return true;
        await sleep(Math.min(5_000, 100 * 2 ** failures), entry.life.signal);
      }
    }
  }

  #tell(error: unknown, fetch: MediaFetch, { life, connection }: Entry): void {
    if (life.signal.aborted || error instanceof MediaFault) return;
    this.#parts.log.warn(
      { error, media: fetch.media_id, connection: connection.id, failures: fetch.failures },
      "a customer's file could not be fetched",
    );
  }
}

async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  watchdog: NodeJS.Timeout,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    watchdog.refresh();
    yield chunk;
  }
}

function failureOf(error: unknown, fetch: MediaFetch, letGo: AbortSignal): Failure {
  if (letGo.aborted) return { kind: "again", afterMs: 0, counts: false, empty: false };
  if (error instanceof BlobStoreError)
    return { kind: "again", afterMs: mediaLimits.storeRetryMs, counts: false, empty: false };
  const reason =
    error instanceof MediaFault
      ? error.reason
      : mediaReasonOf(error instanceof BlobTooLargeError ? "media_too_large" : "media_unreachable");
  const failures = fetch.failures + 1;
  const isFinal =
    error instanceof BlobTooLargeError || (error instanceof MediaFault && error.final);
  if (isFinal || failures >= mediaLimits.failures)
    return { kind: "final", result: { status: "failed", reason } };
  const told = error instanceof MediaFault ? error.retryAfterMs : null;
  return { kind: "again", afterMs: told ?? backoffMs(failures), counts: true, empty: true };
}
