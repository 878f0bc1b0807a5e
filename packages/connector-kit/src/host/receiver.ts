// Receiving: converts what came in and commits it with its raw form; only then may the provider be told.
import { createHash } from "node:crypto";
import type { Bus } from "@thikaa/bus";
import { inboundShard, storeInbound, storeInboundWithState } from "@thikaa/db";
import type { Database, NewInboundItem } from "@thikaa/db";
import { converted, storableJson, storableText } from "@thikaa/schema";
import type { Converted } from "@thikaa/schema";
import type { Log } from "@thikaa/runtime";
import type { Connector } from "../connector.ts";
import type { RawItem } from "../raw-item.ts";
import type { Measures } from "./measures.ts";
import type { MediaFetcher } from "./media-fetcher.ts";
import type { ConnectionIdentity } from "./identity.ts";

/** Longer names are kept by their digest: an index could not hold them. */
const longestName = 400;
const batchLimit = 200;

/** What a connector keeps, sealed, by key; `null` deletes. */
export type SealedState = ReadonlyMap<string, string | null>;

export class Receiver {
  readonly #parts: {
    connector: Connector;
    database: Database;
    bus: Bus;
    log: Log;
    measures: Measures;
    mediaFetcher: MediaFetcher;
  };

  constructor(parts: {
    connector: Connector;
    database: Database;
    bus: Bus;
    log: Log;
    measures: Measures;
    mediaFetcher: MediaFetcher;
  }) {
    this.#parts = parts;
  }

  /** Resolves when every item is committed (or was before). Rejects when PostgreSQL can't: then nothing may be acknowledged. */
  async receive(connection: ConnectionIdentity, items: readonly RawItem[]): Promise<void> {
    const rows = items.map((item) => this.#toRow(connection, item));
    for (let start = 0; start < rows.length; start += batchLimit)
      await this.#store(connection, rows.slice(start, start + batchLimit));
  }

  /** The same, together with state that its owner changed: both or none. `false`, with nothing written, when the connection has another owner by now. */
  async receiveWithState(
    connection: ConnectionIdentity,
    items: readonly RawItem[],
    owned: { readonly worker: string; readonly epoch: number; readonly state: SealedState },
  ): Promise<boolean> {
    const rows = items.map((item) => this.#toRow(connection, item));
    const fresh = await storeInboundWithState(
      this.#parts.database,
      { ...owned, storeId: connection.storeId, connectionId: connection.id },
      { items: rows, state: owned.state },
    );
    if (fresh === null) return false;
    this.#tell(connection, rows, fresh);
    return true;
  }

  async #store(connection: ConnectionIdentity, rows: readonly NewInboundItem[]): Promise<void> {
    this.#tell(connection, rows, await storeInbound(this.#parts.database, connection, rows));
  }

  /** Counts and rings for what is committed. */
  #tell(
    connection: ConnectionIdentity,
    rows: readonly NewInboundItem[],
    freshKeys: readonly string[],
  ): void {
    const { bus, measures, mediaFetcher } = this.#parts;
    const { id, storeId, channel } = connection;
    const fresh = new Set(freshKeys);
    measures.inbound.inc({ channel, kind: "repeat" }, rows.length - fresh.size);
    if (rows.some(({ converted }) => "media" in converted && converted.media.length > 0))
      mediaFetcher.ring();
    for (const row of rows) {
      // A key that stands twice in one batch was stored once.
      if (!fresh.delete(row.key)) continue;
      measures.inbound.inc({ channel, kind: row.converted.kind });
      bus.ring(
        { ring: "in", to: [channel, id] },
        {
          store_id: storeId,
          connection_id: id,
          shard: inboundShard(id, row.thread),
          item: row.converted,
        },
      );
    }
  }

  #toRow(connection: ConnectionIdentity, item: RawItem): NewInboundItem {
    return {
      key: bounded(item.key),
      thread: bounded(item.thread),
      raw: Buffer.from(item.raw),
      converted: this.#convert(connection, item),
    };
  }

  /** What can't be converted is kept as a notice with its raw form: a fault of ours loses nothing. */
  #convert(connection: ConnectionIdentity, item: RawItem): Converted {
    try {
      const parsed = converted.safeParse(storableJson(this.#parts.connector.convert(item)));
      if (parsed.success) return parsed.data;
      this.#parts.log.error(
        {
          connection: connection.id,
          fields: parsed.error.issues.map((issue) => issue.path.join(".")),
        },
        "a conversion did not have the shared schema's form",
      );
    } catch (error) {
      this.#parts.log.error({ error, connection: connection.id }, "an item could not be converted");
    }
    return { kind: "notice", reason: "not_converted", raw_type: null };
  }
}

function bounded(name: string): string {
  const text = storableText(name);
  return text.length <= longestName
    ? text
    : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
