// The events of messages from outside: what a customer wrote, and what the store's own people wrote in the provider's app. Pure.
import { toWireId } from "@thikaa/schema";
import type { DeviceContent, MessageReceivedData, MessageStatusData } from "@thikaa/schema";
import type { NewEvent } from "@thikaa/db";
import { mediaFields } from "./message-media.ts";
import type { MediaAddress } from "./message-media.ts";
import type { StoredMessage } from "./store-messages.ts";

/** `message.received`, or `message.status` for a message of our own account. */
export function messageEvent(stored: StoredMessage, addressOf: MediaAddress): NewEvent {
  const { row, said } = stored;
  const event =
    said.kind === "message"
      ? ({ type: "message.received", data: receivedData(stored, said, addressOf) } as const)
      : ({ type: "message.status", data: deviceData(stored, said, addressOf) } as const);
  return {
    storeId: row.store_id,
    channel: row.channel,
    connectionId: row.connection_id,
    instanceId: null,
    ...event,
  };
}

type Said<Kind extends StoredMessage["said"]["kind"]> = Extract<
  StoredMessage["said"],
  { kind: Kind }
>;

/** Every field is there, `null` when empty. */
function receivedData(
  stored: StoredMessage,
  said: Said<"message">,
  addressOf: MediaAddress,
): MessageReceivedData {
  const { row, references } = stored;
  return {
    message_id: toWireId("message", stored.messageId),
    channel: row.channel,
    connection_id: toWireId("connection", row.connection_id),
    conversation_id: toWireId("conversation", stored.conversationId),
    from: said.from,
    to: row.connection_address ?? "",
    contact: { id: toWireId("contact", stored.contactId), ...said.contact },
    author: said.author ?? null,
    type: said.type,
    raw_type: said.raw_type,
    message: said.text,
    ...mediaFields(stored.media, addressOf),
    button: references.button,
    location: said.location,
    contacts: said.contacts,
    reaction: said.reaction,
    reply_to: references.replyTo,
    refers_to: references.refersTo,
    album_id: said.album_id ?? null,
    edited: said.edited,
    provider_message_id: said.provider_message_id,
    sent_at: said.sent_at,
    received_at: row.received_at.toISOString(),
  };
}

function deviceData(
  stored: StoredMessage,
  said: Said<"own">,
  addressOf: MediaAddress,
): MessageStatusData {
  const { row, final } = stored;
  return {
    message_id: toWireId("message", stored.messageId),
    client_reference: null,
    channel: row.channel,
    connection_id: toWireId("connection", row.connection_id),
    to: said.to,
    status: "sent",
    final,
    reason: null,
    refunded: false,
    possible_duplicate: false,
    origin: "device",
    content: contentOf(stored, said, addressOf),
  };
}

function contentOf(
  stored: StoredMessage,
  said: Said<"own">,
  addressOf: MediaAddress,
): DeviceContent {
  const { references } = stored;
  return {
    conversation_id: toWireId("conversation", stored.conversationId),
    contact: { id: toWireId("contact", stored.contactId), ...said.contact },
    type: said.type,
    raw_type: said.raw_type,
    message: said.text,
    ...mediaFields(stored.media, addressOf),
    location: said.location,
    contacts: said.contacts,
    reaction: said.reaction,
    reply_to: references.replyTo,
    refers_to: references.refersTo,
    album_id: said.album_id ?? null,
    provider_message_id: said.provider_message_id,
    sent_at: said.sent_at,
  };
}
