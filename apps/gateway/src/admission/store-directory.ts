// The store directory: a store's connections and the channels' capabilities, remembered for two seconds and dropped by their ring.
import type { Bus } from "@thikaa/bus";
import { listConnectionViews, readCapabilities } from "@thikaa/db";
import type { ConnectionView, Database } from "@thikaa/db";
import type { Capabilities, ChannelCode } from "@thikaa/schema";
import { ShortMemory } from "./short-memory.ts";

const rememberMs = 2_000;
const mostRemembered = 10_000;

type ConnectionsView = readonly ConnectionView[];
type CapabilitiesView = ReadonlyMap<ChannelCode, Capabilities>;

export interface StoreView {
  readonly connections: ConnectionsView;
  /** What each channel can carry; none of a channel whose app has never run. */
  readonly capabilities: CapabilitiesView;
}

export class StoreDirectory {
  readonly #connections: ShortMemory<ConnectionsView>;
  readonly #capabilities: ShortMemory<CapabilitiesView>;

  constructor({ database, bus }: { database: Database; bus: Bus }) {
    const remember = { forMs: rememberMs, most: mostRemembered };
    this.#connections = new ShortMemory<ConnectionsView>({
      ...remember,
      read: (storeId) => listConnectionViews(database, storeId),
    });
    this.#capabilities = new ShortMemory({ ...remember, read: () => readCapabilities(database) });
    bus.listen({ ring: "connection", to: ["*"] }, ({ store_id }) =>
      this.#connections.forget(store_id),
    );
  }

  /** What is remembered of a store, at most two seconds old; what is not, is read. */
  view(storeId: string): StoreView | Promise<StoreView> {
    const connections = this.#connections.find(storeId);
    // All channels are read together.
    const capabilities = this.#capabilities.find("all");
    return connections instanceof Promise || capabilities instanceof Promise
      ? toView(connections, capabilities)
      : { connections, capabilities };
  }

  /** A store's connections by the table itself: asked before a refusal, which must not rest on memory. */
  connectionsAnew(storeId: string): Promise<ConnectionsView> {
    return this.#connections.findAnew(storeId);
  }
}

async function toView(
  connections: ConnectionsView | Promise<ConnectionsView>,
  capabilities: CapabilitiesView | Promise<CapabilitiesView>,
): Promise<StoreView> {
  const [own, all] = await Promise.all([connections, capabilities]);
  return { connections: own, capabilities: all };
}
