// A connection as the admin API shows it, and what its owner does next.
import type { AdminConnection } from "@thikaa/db";
import { channels, toWireId } from "@thikaa/schema";

/** Everything but secrets. */
export function connectionView(connection: AdminConnection): Record<string, unknown> {
  return {
    id: toWireId("connection", connection.id),
    store: connection.store,
    channel: connection.channel,
    name: connection.name,
    address: connection.address,
    default: connection.is_default,
    environment: connection.environment,
    desired: connection.desired,
    state: connection.state,
    reason: connection.reason,
    since: connection.since.toISOString(),
    display: connection.display,
    queued: connection.queued,
    last_inbound_at: connection.last_inbound_at?.toISOString() ?? null,
    last_sent_at: connection.last_sent_at?.toISOString() ?? null,
    created_at: connection.created_at.toISOString(),
  };
}

/** The next step in a sentence. `pairs`: whether its channel links phones. */
export function describeNext(connection: AdminConnection, pairs: boolean): string {
  const command = `npm run -s thikaa -- connection show ${toWireId("connection", connection.id)}`;
  if (connection.desired === "off" || connection.state === "off")
    return "It is switched off; switch it on when it is wanted.";
  switch (connection.state) {
    case "connected":
      return `Write to it from ${channels[connection.channel].name.en}: the message comes in as an event of the store.`;
    case "pairing":
      return howToPair(connection);
    case "connecting":
      return `Nobody has taken it up yet: no worker of the channel '${connection.channel}' (${channels[connection.channel].name.en}) seems to run. It is kept and goes on by itself as soon as one does. Look again with: ${command}`;
    case "recovering":
    case "limited":
      return `${connection.reason?.message ?? "The provider can't be reached just now."} It goes on by itself. Look again with: ${command}`;
    case "attention":
      return `${connection.reason?.message ?? "It needs a person."} ${pairs ? howToPair(connection) : "Give it new credentials, or remove it."}`;
  }
}

function howToPair({ id }: AdminConnection): string {
  return `Pair it: npm run -s thikaa -- connection pair ${toWireId("connection", id)}`;
}
