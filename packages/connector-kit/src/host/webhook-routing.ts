// Which connection each item of a posted body is for: one body may hold items of many accounts, of many stores.
import { findConnectionsByAddress, keepUnrouted } from "@thikaa/db";
import type { OwnedConnection } from "@thikaa/db";
import type { ChannelCode } from "@thikaa/schema";
import { ConnectionFault } from "../faults.ts";
import type { RawItem } from "../raw-item.ts";
import type { HostParts } from "./parts.ts";

type RoutingParts = Pick<HostParts, "database" | "receiver" | "measures" | "log">;

export interface Post {
  readonly channel: ChannelCode;
  /** The connection whose door it came in by; `null` for the door of the whole channel. */
  readonly door: OwnedConnection | null;
  readonly items: readonly RawItem[];
  /** Whether the request is the provider's by a connection's own secrets. May throw `ConnectionFault`. */
  readonly proves: (connection: OwnedConnection) => boolean;
}

export interface Routed {
  readonly known: readonly { readonly connection: OwnedConnection; readonly items: RawItem[] }[];
  /** Items of accounts that no connection has. */
  readonly unknown: readonly RawItem[];
}

/**
 * Finds the connection of each item by the account that it names; one that names none is for the door's. An account is
 * another connection's only when the request proves itself by that one's secrets too: whoever knows one store's secrets
 * writes nothing to another. `null` when nothing proves the request.
 */
export async function routeItems(parts: RoutingParts, post: Post): Promise<Routed | null> {
  const { channel, door, items } = post;
  const named = [...new Set(items.flatMap(({ account }) => account ?? []))];
  const others = await findConnectionsByAddress(
    parts.database,
    channel,
    named.filter((account) => account !== door?.address),
  );
  const proven = others.filter((connection) => isProven(post, connection));
  if (door === null && proven.length === 0) return null;
  const connectionOf = ({ account }: RawItem) =>
    account === undefined || account === door?.address
      ? door
      : (proven.find(({ address }) => address === account) ?? null);
  const byConnection = Map.groupBy(items, connectionOf);
  return {
    known: [...byConnection].flatMap(([connection, own]) =>
      connection === null ? [] : [{ connection, items: own }],
    ),
    unknown: byConnection.get(null) ?? [],
  };
}

/** Stores each item under its own connection and store; items of unknown accounts are kept whole and counted. */
export async function storeRouted(
  parts: RoutingParts,
  { channel, door, routed }: Pick<Post, "channel" | "door"> & { readonly routed: Routed },
): Promise<void> {
  for (const { connection, items } of routed.known)
    await parts.receiver.receive(
      { id: connection.id, storeId: connection.store_id, channel: connection.channel },
      items,
    );
  const { unknown } = routed;
  if (unknown.length === 0) return;
  // Last, since it knows no repeats: a post that could not be stored whole comes again.
  const from = { channel, connectionId: door?.id ?? null, reason: "unknown_account" };
  await keepUnrouted(
    parts.database,
    from,
    unknown.map(({ raw }) => Buffer.from(raw)),
  );
  parts.measures.inbound.inc({ channel, kind: "unknown_account" }, unknown.length);
  parts.log.warn(
    { channel, connection: door?.id ?? null, items: unknown.length },
    "items came for accounts that no connection has; they are kept",
  );
}

/** A connection whose secrets can't be opened proves nothing. */
function isProven({ proves }: Post, connection: OwnedConnection): boolean {
  try {
    return proves(connection);
  } catch (error) {
    if (error instanceof ConnectionFault) return false;
    throw error;
  }
}
