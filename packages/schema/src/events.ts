// Events: immutable facts of a store, numbered without gap or repeat, as the API shows them and webhooks carry them.
import { z } from "zod";
import { channelCode } from "./channels.ts";
import { inboundContact, inboundType, location, mediaKind, sharedContact } from "./content.ts";
import { mediaReason } from "./media-reasons.ts";
import { messageReason, messageStatus } from "./message-status.ts";

export const eventTypes = [
  "message.received",
  "message.updated",
  "message.status",
  "contact.updated",
  "endpoint.disabled",
] as const;
export const eventType = z.enum(eventTypes).meta({ id: "EventType" });
export type EventType = z.infer<typeof eventType>;

const receivedMedia = z
  .object({
    url: z.string().nullable().meta({
      description:
        "A signed link to the bytes, good for ever and for everybody who has it; `null` unless `status` is `ready`.",
    }),
    type: mediaKind,
    mime: z.string().nullable(),
    size: z.int().nullable(),
    name: z.string().nullable(),
    sha256: z.string().nullable(),
    status: z.enum(["ready", "pending", "failed"]).meta({
      description:
        "`pending`: not here within 10 s; `message.updated` follows with `ready` or `failed`.",
    }),
    reason: mediaReason.optional().meta({ description: "Why it failed." }),
  })
  .meta({ id: "ReceivedMedia" });
export type ReceivedMedia = z.infer<typeof receivedMedia>;

/** `data` of `message.received`: every field is always there, `null` when empty. */
export const messageReceivedData = z
  .object({
    message_id: z.string(),
    channel: channelCode,
    connection_id: z.string(),
    conversation_id: z.string(),
    from: z.string(),
    to: z.string(),
    contact: inboundContact.extend({ id: z.string() }),
    // Later than the first release: what an older process wrote is read all the same.
    author: z.string().nullable().default(null).meta({
      description:
        "Who wrote it, in the form of `to`, when `from` is a group: then `contact` is this person, and an answer to `from` goes to the group. `null` outside groups.",
    }),
    type: inboundType,
    raw_type: z.string().nullable(),
    message: z.string().nullable(),
    media_url: z.string().nullable(),
    media_type: mediaKind.nullable(),
    media: z.array(receivedMedia),
    button: z.object({ id: z.string(), title: z.string().nullable() }).nullable(),
    location: location.nullable(),
    contacts: z.array(sharedContact).nullable(),
    reaction: z
      .object({ emoji: z.string().nullable(), provider_message_id: z.string() })
      .nullable(),
    reply_to: z.string().nullable().meta({
      description:
        "The `message_id` of the message that this one answers, or whose button was pressed; `null` when it answers none, or one that we do not know.",
    }),
    refers_to: z.string().nullable().default(null).meta({
      description:
        "The `message_id` of the message that was edited, deleted or reacted to; `null` for other types, or when we do not know it.",
    }),
    album_id: z.string().nullable().default(null).meta({
      description:
        "The same for all messages of one album: each file of an album is a message of its own.",
    }),
    edited: z.boolean(),
    provider_message_id: z.string().nullable(),
    sent_at: z.string().nullable(),
    received_at: z.string(),
  })
  .meta({ id: "MessageReceivedData" });
export type MessageReceivedData = z.infer<typeof messageReceivedData>;

/** `data` of `message.updated`: a received message whose files came late, with all its files as they stand now. */
export const messageUpdatedData = messageReceivedData
  .pick({
    message_id: true,
    channel: true,
    connection_id: true,
    conversation_id: true,
    from: true,
    to: true,
    type: true,
    media_url: true,
    media_type: true,
    media: true,
    provider_message_id: true,
  })
  .meta({ id: "MessageUpdatedData" });
export type MessageUpdatedData = z.infer<typeof messageUpdatedData>;

/** What the store's own people wrote in the provider's app, in the fields of `message.received`. */
const deviceContent = messageReceivedData
  .pick({
    conversation_id: true,
    contact: true,
    type: true,
    raw_type: true,
    message: true,
    media_url: true,
    media_type: true,
    media: true,
    location: true,
    contacts: true,
    reaction: true,
    reply_to: true,
    refers_to: true,
    album_id: true,
    provider_message_id: true,
    sent_at: true,
  })
  .meta({ id: "DeviceContent" });
export type DeviceContent = z.infer<typeof deviceContent>;

/** `data` of `message.status`: where a message of ours stands after a change. */
export const messageStatusData = z
  .object({
    message_id: z.string(),
    client_reference: z.string().nullable(),
    channel: channelCode,
    connection_id: z.string(),
    to: z.string(),
    status: messageStatus,
    final: z.boolean(),
    reason: messageReason.nullable(),
    refunded: z.boolean(),
    possible_duplicate: z.boolean(),
    origin: z.literal("device").optional().meta({
      description:
        "There when the message was not sent by this API but by the store's own people, on a phone or in the provider's app. It cost nothing; every key that is allowed on the channel is told.",
    }),
    content: deviceContent.optional().meta({
      description: "What such a message says; in its first event alone.",
    }),
  })
  .meta({ id: "MessageStatusData" });
export type MessageStatusData = z.infer<typeof messageStatusData>;

/** `data` of `contact.updated`: a person blocked the connection or took that back. */
export const contactUpdatedData = z
  .object({
    channel: channelCode,
    connection_id: z.string(),
    from: z.string(),
    to: z.string(),
    contact: inboundContact.extend({ id: z.string() }),
    blocked: z.boolean().meta({
      description: "While it is true, messages to this person are refused by the provider.",
    }),
  })
  .meta({ id: "ContactUpdatedData" });
export type ContactUpdatedData = z.infer<typeof contactUpdatedData>;

/** `data` of `endpoint.disabled`: a webhook gets nothing any more until its owner sets it anew. */
export const endpointDisabledData = z
  .object({
    endpoint_id: z.string(),
    instance_id: z.string().nullable().meta({ description: "The key whose webhook it was." }),
    reason: z.string().meta({ description: "In plain words." }),
    failing_since: z.string(),
  })
  .meta({ id: "EndpointDisabledData" });
export type EndpointDisabledData = z.infer<typeof endpointDisabledData>;

const envelope = {
  event_id: z.string(),
  sequence: z.int(),
  created_at: z.string(),
  version: z.literal(1),
};

/** An event as `action=events` lists it. */
export const storeEvent = z
  .discriminatedUnion("event", [
    z.object({ event: z.literal("message.received"), ...envelope, data: messageReceivedData }),
    z.object({ event: z.literal("message.updated"), ...envelope, data: messageUpdatedData }),
    z.object({ event: z.literal("message.status"), ...envelope, data: messageStatusData }),
    z.object({ event: z.literal("contact.updated"), ...envelope, data: contactUpdatedData }),
    z.object({ event: z.literal("endpoint.disabled"), ...envelope, data: endpointDisabledData }),
  ])
  .meta({ id: "StoreEvent" });
export type StoreEvent = z.infer<typeof storeEvent>;

/** An event as a webhook carries it: the same, with the instance it is for. */
export const webhookBody = z
  .discriminatedUnion("event", [
    z.object({
      event: z.literal("message.received"),
      instance_id: z.string(),
      ...envelope,
      data: messageReceivedData,
    }),
    z.object({
      event: z.literal("message.updated"),
      instance_id: z.string(),
      ...envelope,
      data: messageUpdatedData,
    }),
    z.object({
      event: z.literal("message.status"),
      instance_id: z.string(),
      ...envelope,
      data: messageStatusData,
    }),
    z.object({
      event: z.literal("contact.updated"),
      instance_id: z.string(),
      ...envelope,
      data: contactUpdatedData,
    }),
    z.object({
      event: z.literal("endpoint.disabled"),
      instance_id: z.string(),
      ...envelope,
      data: endpointDisabledData,
    }),
  ])
  .meta({ id: "WebhookBody" });
export type WebhookBody = z.infer<typeof webhookBody>;
