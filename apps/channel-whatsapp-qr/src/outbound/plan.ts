// Plans a message into WhatsApp's: a file with its caption, texts, places and cards; a change is one of its own.
import type { OutboundMessage } from "@thikaa/connector-kit";
import { location, mediaKind, sharedContact } from "@thikaa/schema";
import type { OutboundContent, PartPlan } from "@thikaa/schema";
import { z } from "zod";
import { captionLengthOf, maxTextLength } from "../capabilities.ts";
import { splitText } from "@thikaa/connector-kit";

/** Ours, of the message that this one answers. */
const frame = { replyTo: z.string().optional() };

const mediaPayload = z.object({
  kind: z.literal("media"),
  media: mediaKind,
  url: z.string(),
  guessed: z.literal(true).optional(),
  caption: z.string().nullable(),
  ...frame,
});
export type MediaPayload = z.infer<typeof mediaPayload>;

/** A change of a message, a reaction to it, or a mark that it was read; `target` is ours, `ids` are WhatsApp's. */
const changePayload = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("edit"), target: z.string(), text: z.string() }),
  z.object({ kind: z.literal("delete"), target: z.string() }),
  z.object({ kind: z.literal("react"), target: z.string(), emoji: z.string().nullable() }),
  z.object({ kind: z.literal("read"), ids: z.array(z.string()).min(1) }),
]);
export type ChangePayload = z.infer<typeof changePayload>;

export function isChange(payload: PartPayload): payload is ChangePayload {
  return changePayload.options.some(({ shape }) => shape.kind.value === payload.kind);
}

/** One part, as it is stored with the message's plan. */
export const partPayload = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("text"), text: z.string(), ...frame }),
  mediaPayload,
  z.object({ kind: z.literal("location"), location, ...frame }),
  z.object({ kind: z.literal("contact"), contact: sharedContact, ...frame }),
  ...changePayload.options,
]);
export type PartPayload = z.infer<typeof partPayload>;
/** A part that becomes a message. */
export type MessagePayload = Exclude<PartPayload, ChangePayload>;

/** Pure. Words that are too long for a caption come after the file. The first part answers. */
export function plan({ content }: OutboundMessage): readonly PartPlan[] {
  const { change, reply_to: replyTo } = content;
  const payloads: PartPayload[] =
    change === undefined
      ? messageParts(content).map((part, index) =>
          replyTo !== undefined && index === 0 ? { ...part, replyTo } : part,
        )
      : [changeOf(change, content.text)];
  return payloads.map((payload, index) => ({ n: index + 1, payload }));
}

function messageParts({
  text,
  media,
  location: place,
  contact,
}: OutboundContent): MessagePayload[] {
  const words = text === null ? [] : textParts(text);
  return [
    ...(media === null ? words : mediaParts(media, text)),
    ...(place === undefined ? [] : [{ kind: "location", location: place } as const]),
    ...(contact === undefined ? [] : [{ kind: "contact", contact } as const]),
  ];
}

function textParts(text: string): MessagePayload[] {
  return splitText(text, maxTextLength).map((piece) => ({ kind: "text", text: piece }));
}

function mediaParts(
  { kind: media, url, guessed }: NonNullable<OutboundContent["media"]>,
  text: string | null,
): MessagePayload[] {
  const file = { kind: "media", media, url, ...(guessed ? { guessed } : {}) } as const;
  if (text === null) return [{ ...file, caption: null }];
  return text.length <= captionLengthOf(media)
    ? [{ ...file, caption: text }]
    : [{ ...file, caption: null }, ...textParts(text)];
}

function changeOf(
  change: NonNullable<OutboundContent["change"]>,
  text: string | null,
): ChangePayload {
  const { kind, message_id: target } = change;
  switch (kind) {
    case "edit":
      return { kind, target, text: text ?? "" };
    case "delete":
      return { kind, target };
    case "react":
      return { kind, target, emoji: change.emoji };
    case "read":
      return { kind, ids: change.provider_message_ids };
  }
}
