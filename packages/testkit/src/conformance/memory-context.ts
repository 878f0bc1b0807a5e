// A connector's context in memory: for quick tests of what a connector says to its provider, without a house around it.
import type { ConnectorContext, RawItem } from "@thikaa/connector-kit";
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";

/** The context, and what the connector did with it. */
export interface MemoryContext extends ConnectorContext {
  /** What `received` was given, in order. */
  readonly items: readonly RawItem[];
  readonly reports: readonly { state: ConnectionState; reason: ConnectionReason | null }[];
  /** Ends it: its signal aborts. */
  end(): void;
}

/** A context for `connect`. What is kept in it ends with it; addresses of users are not opened. */
export function createMemoryContext(
  given: Pick<ConnectorContext, "baseUrl"> & {
    readonly credentials: ConnectorContext["credentials"]["values"];
  } & Partial<Omit<ConnectorContext, "baseUrl" | "credentials" | "signal">>,
): MemoryContext {
  const { credentials, ...rest } = given;
  const life = new AbortController();
  const kept = new Map<string, string>();
  const items: RawItem[] = [];
  const reports: { state: ConnectionState; reason: ConnectionReason | null }[] = [];
  let values = credentials;
  return {
    connectionId: "00000000-0000-7000-8000-000000000001",
    credentials: {
      get values() {
        return values;
      },
      replace: async (replaced) => void (values = replaced),
    },
    webhookUrl: null,
    webhookSecret: "memory-context-secret-of-43-characters_0000",
    identify: () => Promise.resolve(),
    state: stateOf(kept),
    message: () => Promise.resolve(null),
    async received(received, change = {}) {
      items.push(...received);
      await stateOf(kept).set(change);
    },
    openAddress: () => Promise.reject(new Error("Nothing opens addresses in memory.")),
    report: (state, reason) => void reports.push({ state, reason }),
    clock: () => new Date(),
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    ...rest,
    signal: life.signal,
    items,
    reports,
    end: () => life.abort(),
  };
}

function stateOf(kept: Map<string, string>): ConnectorContext["state"] {
  return {
    get: async (keys) => new Map([...kept].filter(([key]) => keys.includes(key))),
    async set(values) {
      for (const [key, value] of Object.entries(values))
        if (value === null) kept.delete(key);
        else kept.set(key, value);
    },
    async forget(prefix) {
      for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key);
    },
  };
}
