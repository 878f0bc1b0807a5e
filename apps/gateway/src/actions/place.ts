// Where something is to go: the recipient cleaned, the channel allowed, the connection chosen; the same for every action with a `to`.
import type { ConnectionView, KeyHolder } from "@thikaa/db";
import { ApiError, cleanRecipient, fromWireId } from "@thikaa/schema";
import type { SendBody } from "@thikaa/schema";
import type { Admitted } from "../admission/admit.ts";
import type { KeyDirectory } from "../admission/key-directory.ts";
import type { StoreDirectory } from "../admission/store-directory.ts";

export interface PlaceParts {
  readonly keys: KeyDirectory;
  readonly stores: StoreDirectory;
}

export interface Place {
  /** The recipient, cleaned. */
  readonly to: string;
  readonly connection: ConnectionView;
}

type Named = Pick<SendBody, "channel" | "to" | "connection_id">;

/** Throws the first error that applies, in the order of the table. */
export async function findPlace(
  parts: PlaceParts,
  { admitted, holder }: { admitted: Admitted; holder: KeyHolder },
  named: Named,
): Promise<Place> {
  const { channel, to: written } = named;
  const recipient = cleanRecipient(channel, written, holder.defaultCallingCode);
  if (!recipient.ok)
    throw new ApiError("invalid_recipient", {
      message: recipient.message,
      details: [{ path: "to", message: recipient.message }],
    });
  const allowed = holder.channels.includes(channel)
    ? holder
    : await parts.keys.findAnew(admitted.apiKey);
  if (!allowed?.channels.includes(channel)) throw new ApiError("channel_not_allowed");
  return { to: recipient.to, connection: await chooseConnection(parts.stores, holder, named) };
}

/** The key's holder, if its store is active; one that was activated a moment ago counts. */
export async function activeHolder(
  parts: Pick<PlaceParts, "keys">,
  admitted: Admitted,
): Promise<KeyHolder> {
  if (admitted.holder.storeStatus === "active") return admitted.holder;
  const anew = await parts.keys.findAnew(admitted.apiKey);
  if (anew?.storeStatus !== "active")
    throw new ApiError("insufficient_balance", { message: "The store is inactive." });
  return anew;
}

async function chooseConnection(
  stores: StoreDirectory,
  holder: KeyHolder,
  named: Named,
): Promise<ConnectionView> {
  const found =
    pick(await stores.connections(holder.storeId), named) ??
    pick(await stores.connectionsAnew(holder.storeId), named);
  if (found !== undefined) return found;
  const message = named.connection_id
    ? "The store has no connection with this 'connection_id' on this channel."
    : undefined;
  throw new ApiError(
    "channel_not_connected",
    message === undefined ? {} : { message, details: [{ path: "connection_id", message }] },
  );
}

/** The connection that was asked for, else the channel's default, else its first. */
function pick(connections: readonly ConnectionView[], named: Named): ConnectionView | undefined {
  const ofChannel = connections.filter(({ channel }) => channel === named.channel);
  if (!named.connection_id) return ofChannel[0];
  const id = fromWireId("connection", named.connection_id);
  return ofChannel.find((connection) => connection.id === id);
}
