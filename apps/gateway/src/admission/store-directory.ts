// The store directory: a store's connections and the channels' capabilities, remembered for two seconds and dropped by their ring.
import type { Bus } from "@thikaa/bus";
import { listConnectionViews, readCapabilities } from "@thikaa/db";
import type { ConnectionView, Database } from "@thikaa/db";
import type { Capabilities, ChannelCode } from "@thikaa/schema";
import { ShortMemory } from "./short-memory.ts";

const rememberMs = 2_000;
const mostRemembered = 10_000;

export class StoreDirectory {
  readonly #connections: ShortMemory<readonly ConnectionView[]>;
  readonly #capabilities: ShortMemory<ReadonlyMap<ChannelCode, Capabilities>>;

  constructor({ database, bus }: { database: Database; bus: Bus }) {
    const remember = { forMs: rememberMs, most: mostRemembered };
    this.#connections = new ShortMemory<readonly ConnectionView[]>({
      ...remember,
      read: (storeId) => listConnectionViews(database, storeId),
    });
    this.#capabilities = new ShortMemory({ ...remember, read: () => readCapabilities(database) });
    bus.listen({ ring: "connection", to: ["*"] }, ({ store_id }) =>
      this.#connections.forget(store_id),
    );
  }

  /** A store's connections; at most two seconds old. */
  connections(storeId: string): readonly ConnectionView[] | Promise<readonly ConnectionView[]> {
    return this.#connections.find(storeId);
  }

  /** A store's connections by the table itself: asked before a refusal, which must not rest on memory. */
  connectionsAnew(storeId: string): Promise<readonly ConnectionView[]> {
    return this.#connections.findAnew(storeId);
  }

  /** What a channel can carry; `null` while its app has never run. */
  async capabilities(channel: ChannelCode): Promise<Capabilities | null> {
    // All channels are read together.
    return (await this.#capabilities.find("all")).get(channel) ?? null;
  }
}
