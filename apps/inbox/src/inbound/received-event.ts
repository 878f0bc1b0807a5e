// The `message.received` event of an inbound message. Pure.
import { toWireId } from "@thikaa/schema";
import type { ChannelCode, InboundMessage, MessageReceivedData } from "@thikaa/schema";
import type { MessageMedia, NewEvent } from "@thikaa/db";
import { mediaFields } from "./message-media.ts";
import type { MediaAddress } from "./message-media.ts";
import type { References } from "./references.ts";

/** An inbound message with the rows it became. */
export interface StoredInbound {
  readonly storeId: string;
  readonly connectionId: string;
  readonly channel: ChannelCode;
  /** The connection's own address: the bot, number or page that was written to. */
  readonly connectionAddress: string | null;
  readonly contactId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly receivedAt: Date;
  readonly message: InboundMessage;
  readonly references: References;
  readonly media: readonly MessageMedia[];
}

/** Every field is there, `null` when empty. */
export function receivedEvent(stored: StoredInbound, addressOf: MediaAddress): NewEvent {
  const { message } = stored;
  const data: MessageReceivedData = {
    message_id: toWireId("message", stored.messageId),
    channel: stored.channel,
    connection_id: toWireId("connection", stored.connectionId),
    conversation_id: toWireId("conversation", stored.conversationId),
    from: message.from,
    to: stored.connectionAddress ?? "",
    contact: { id: toWireId("contact", stored.contactId), ...message.contact },
    type: message.type,
    raw_type: message.raw_type,
    message: message.text,
    ...mediaFields(stored.media, addressOf),
    button: stored.references.button,
    location: message.location,
    contacts: message.contacts,
    reaction: message.reaction,
    reply_to: stored.references.replyTo,
    refers_to: stored.references.refersTo,
    album_id: message.album_id ?? null,
    edited: message.edited,
    provider_message_id: message.provider_message_id,
    sent_at: message.sent_at,
    received_at: stored.receivedAt.toISOString(),
  };
  return {
    storeId: stored.storeId,
    type: "message.received",
    channel: stored.channel,
    connectionId: stored.connectionId,
    instanceId: null,
    data,
  };
}
