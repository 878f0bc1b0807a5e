// Where something is to go: the recipient cleaned, the channel allowed, the connection chosen; the same for every action with a `to`. Pure.
import type { ConnectionView } from "@thikaa/db";
import { ApiError, cleanRecipient, fromWireId } from "@thikaa/schema";
import type { SendBody } from "@thikaa/schema";
import type { Standing } from "./standing.ts";

export interface Place {
  /** The recipient, cleaned. */
  readonly to: string;
  readonly connection: ConnectionView;
}

type Named = Pick<SendBody, "channel" | "to" | "connection_id">;

/** Throws the first error that applies, in the order of the table. */
export function findPlace({ holder, connections }: Standing, named: Named): Place {
  const { channel, to: written } = named;
  const recipient = cleanRecipient(channel, written, holder.defaultCallingCode);
  if (!recipient.ok)
    throw new ApiError("invalid_recipient", {
      message: recipient.message,
      details: [{ path: "to", message: recipient.message }],
    });
  if (!holder.channels.includes(channel)) throw new ApiError("channel_not_allowed");
  return { to: recipient.to, connection: chooseConnection(connections, named) };
}

/** The connection that was asked for, else the channel's default, else its first. */
function chooseConnection(connections: readonly ConnectionView[], named: Named): ConnectionView {
  const { channel, connection_id: wireId } = named;
  const id = wireId ? fromWireId("connection", wireId) : null;
  const found = connections.find(
    (connection) => connection.channel === channel && (!wireId || connection.id === id),
  );
  if (found !== undefined) return found;
  if (!wireId) throw new ApiError("channel_not_connected");
  const message = "The store has no connection with this 'connection_id' on this channel.";
  throw new ApiError("channel_not_connected", {
    message,
    details: [{ path: "connection_id", message }],
  });
}
