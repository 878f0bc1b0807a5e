// The store directory: a store's connections and the channels' capabilities, remembered for two seconds and dropped by their ring.
import type { Bus } from "@thikaa/bus";
import { listConnectionViews, readCapabilities } from "@thikaa/db";
import type { ConnectionView, Database } from "@thikaa/db";
import type { Capabilities, ChannelCode } from "@thikaa/schema";

const rememberMs = 2_000;
const mostRemembered = 10_000;

interface Remembered<Value> {
  readonly value: Promise<Value>;
  readonly until: number;
}

export class StoreDirectory {
  readonly #database: Database;
  readonly #connections = new Map<string, Remembered<ConnectionView[]>>();
  #capabilities: Remembered<ReadonlyMap<ChannelCode, Capabilities>> | null = null;

  constructor(parts: { database: Database; bus: Bus }) {
    this.#database = parts.database;
    parts.bus.listen({ ring: "connection", to: ["*"] }, ({ store_id }) =>
      this.#connections.delete(store_id),
    );
  }

  /** A store's connections; at most two seconds old. */
  connections(storeId: string): Promise<ConnectionView[]> {
    const remembered = this.#connections.get(storeId);
    return remembered !== undefined && remembered.until > performance.now()
      ? remembered.value
      : this.connectionsAnew(storeId);
  }

  /** A store's connections by the table itself: asked before a refusal, which must not rest on memory. */
  connectionsAnew(storeId: string): Promise<ConnectionView[]> {
    const value = listConnectionViews(this.#database, storeId);
    value.catch(() => this.#connections.delete(storeId));
    if (this.#connections.size >= mostRemembered) this.#connections.clear();
    this.#connections.set(storeId, { value, until: performance.now() + rememberMs });
    return value;
  }

  /** What a channel can carry; `null` while its app has never run. */
  async capabilities(channel: ChannelCode): Promise<Capabilities | null> {
    if (this.#capabilities === null || this.#capabilities.until <= performance.now()) {
      const value = readCapabilities(this.#database);
      value.catch(() => (this.#capabilities = null));
      this.#capabilities = { value, until: performance.now() + rememberMs };
    }
    return (await this.#capabilities.value).get(channel) ?? null;
  }
}
