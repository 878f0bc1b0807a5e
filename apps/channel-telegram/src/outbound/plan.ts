// Plans a message into Telegram calls: a file with its caption, texts split where Telegram's limit asks for it, places and cards.
import type { OutboundMessage } from "@thikaa/connector-kit";
import { location, mediaKind, sharedContact } from "@thikaa/schema";
import type { OutboundContent, PartPlan } from "@thikaa/schema";
import { z } from "zod";
import { captionLengthOf, maxTextLength } from "../capabilities.ts";
import { writeButtonData } from "../ids.ts";
import { splitText } from "@thikaa/connector-kit";

/** A button as Telegram takes it: with the data that comes back, or with an address. */
const button = z.union([
  z.object({ text: z.string(), callback_data: z.string() }),
  z.object({ text: z.string(), url: z.string() }),
]);
export type ButtonPayload = z.infer<typeof button>;

/** What any part that becomes a message may carry. */
const frame = {
  /** Ours, of the message that this one answers. */
  replyTo: z.string().optional(),
  buttons: z.array(button).optional(),
};

const mediaPayload = z.object({
  method: z.literal("sendMedia"),
  kind: mediaKind,
  url: z.string(),
  guessed: z.literal(true).optional(),
  caption: z.string().nullable(),
  ...frame,
});
export type MediaPayload = z.infer<typeof mediaPayload>;

/** A change of a message, or a reaction to it; `target` is ours. */
const changePayload = z.discriminatedUnion("method", [
  z.object({ method: z.literal("edit"), target: z.string(), text: z.string() }),
  z.object({ method: z.literal("delete"), target: z.string() }),
  z.object({ method: z.literal("react"), target: z.string(), emoji: z.string().nullable() }),
]);
export type ChangePayload = z.infer<typeof changePayload>;

export function isChange(payload: PartPayload): payload is ChangePayload {
  return changePayload.options.some(({ shape }) => shape.method.value === payload.method);
}

/** One part, as it is stored with the message's plan. */
export const partPayload = z.discriminatedUnion("method", [
  z.object({ method: z.literal("sendMessage"), text: z.string(), ...frame }),
  mediaPayload,
  z.object({ method: z.literal("sendLocation"), location, ...frame }),
  z.object({ method: z.literal("sendContact"), contact: sharedContact, ...frame }),
  ...changePayload.options,
]);
export type PartPayload = z.infer<typeof partPayload>;
/** A part that becomes a message. */
export type MessagePayload = Exclude<PartPayload, ChangePayload>;

/** Pure. A text that is too long for a caption comes after the file. The first part answers, the last one has the buttons. */
export function plan(message: OutboundMessage): readonly PartPlan[] {
  const { content } = message;
  const payloads =
    content.change === undefined
      ? framed(messageParts(content), message)
      : [changeOf(content.change, content.text)];
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
    ...(place === undefined ? [] : [{ method: "sendLocation", location: place } as const]),
    ...(contact === undefined ? [] : [{ method: "sendContact", contact } as const]),
  ];
}

function textParts(text: string): MessagePayload[] {
  return splitText(text, maxTextLength).map((piece) => ({ method: "sendMessage", text: piece }));
}

function mediaParts(
  media: NonNullable<OutboundContent["media"]>,
  text: string | null,
): MessagePayload[] {
  const call = { method: "sendMedia", ...media } as const;
  if (text === null) return [{ ...call, caption: null }];
  return text.length <= captionLengthOf(media.kind)
    ? [{ ...call, caption: text }]
    : [{ ...call, caption: null }, ...textParts(text)];
}

function framed(
  parts: MessagePayload[],
  { content, messageId }: OutboundMessage,
): MessagePayload[] {
  const { reply_to: replyTo, buttons } = content;
  return parts.map((part, index) => ({
    ...part,
    ...(replyTo !== undefined && index === 0 ? { replyTo } : {}),
    ...(buttons !== undefined && index === parts.length - 1
      ? { buttons: buttons.map((one, place) => toButton(one, { messageId, place })) }
      : {}),
  }));
}

function toButton(
  { title, id, url }: NonNullable<OutboundContent["buttons"]>[number],
  at: { messageId: string; place: number },
): ButtonPayload {
  return url === undefined
    ? { text: title, callback_data: writeButtonData({ id: id ?? title, ...at }) }
    : { text: title, url };
}

/** Throws where the gateway let pass what Telegram has no call for. */
function changeOf(
  change: NonNullable<OutboundContent["change"]>,
  text: string | null,
): ChangePayload {
  const { kind, message_id: target } = change;
  switch (kind) {
    case "edit":
      return { method: kind, target, text: text ?? "" };
    case "delete":
      return { method: kind, target };
    case "react":
      return { method: kind, target, emoji: change.emoji };
    case "read":
      throw new Error("Telegram lets no bot mark messages as read.");
  }
}
