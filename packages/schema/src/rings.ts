// Rings: what NATS carries after a commit, and on which subjects. A lost ring costs at most a second, since every reader also polls.
import { z } from "zod";
import { channelCode } from "./channels.ts";
import type { ChannelCode } from "./channels.ts";
import { inboundItem, outboundContent } from "./content.ts";
import { connectionReason, connectionState } from "./connection.ts";
import { storeEvent } from "./events.ts";

/** Shards of the inbox (by connection and conversation), of the sequencer and of webhooks (by store). */
export const inboundShards = 64;
export const storeShards = 16;

/** The shard of a text: FNV-1a, the same in every process and version. */
export function shardOf(text: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash % shards;
}

/** A message was accepted and is due: wakes its connection's owner. */
export const sendRing = z.object({
  store_id: z.string(),
  connection_id: z.string(),
  message_id: z.string(),
  channel: channelCode,
  to: z.string(),
  content: outboundContent,
});
export type SendRing = z.infer<typeof sendRing>;

/** Somebody writes to a person: their connection's owner shows it, now or never. */
export const typingRing = z.object({ connection_id: z.string(), to: z.string() });
export type TypingRing = z.infer<typeof typingRing>;

/** Something came in and is stored: wakes the inbox. */
export const inboundRing = z.object({
  store_id: z.string(),
  connection_id: z.string(),
  shard: z.int(),
  item: inboundItem,
});
export type InboundRing = z.infer<typeof inboundRing>;

/** Events of stores of these shards wait for their numbers: wakes the sequencer. One ring for all of a batch, heard by all. */
export const unnumberedRing = z.object({ shards: z.array(z.int()) });
export type UnnumberedRing = z.infer<typeof unnumberedRing>;

/** Events got their numbers: wakes webhooks and shows them live. Ids are wire ids inside the events. */
export const eventRing = z.object({ store_id: z.string(), events: z.array(storeEvent) });
export type EventRing = z.infer<typeof eventRing>;

/** A connection's row changed (state, desired state, settings, credentials). */
export const connectionRing = z.object({
  store_id: z.string(),
  connection_id: z.string(),
  channel: channelCode,
  state: connectionState,
  reason: connectionReason.nullable(),
});
export type ConnectionRing = z.infer<typeof connectionRing>;

/** A key changed: caches drop it. */
export const keyRing = z.object({ instance_id: z.string() });
export type KeyRing = z.infer<typeof keyRing>;

/** Every ring by its name, with its payload's schema. */
export const rings = {
  out: sendRing,
  typing: typingRing,
  in: inboundRing,
  unnumbered: unnumberedRing,
  event: eventRing,
  connection: connectionRing,
  key: keyRing,
} as const;

export type RingName = keyof typeof rings;
export type RingPayload<Name extends RingName> = z.infer<(typeof rings)[Name]>;

/** Subjects below a namespace. Ids are UUIDs; `*` subscribes to all of them. */
export const subjects = {
  out: (channel: ChannelCode | "*", connection: string = "*") => `out.${channel}.${connection}`,
  typing: (channel: ChannelCode | "*", connection: string = "*") =>
    `typing.${channel}.${connection}`,
  in: (channel: ChannelCode | "*", connection: string = "*") => `in.${channel}.${connection}`,
  unnumbered: () => "unnumbered",
  event: (store: string) => `event.${store}`,
  connection: (connection: string) => `connection.${connection}`,
  key: (instance: string) => `key.${instance}`,
} as const;
