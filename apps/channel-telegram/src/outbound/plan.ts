// Plans a message into Telegram calls: a file with its caption, and texts split where Telegram's limit asks for it.
import type { OutboundMessage } from "@thikaa/connector-kit";
import { mediaKind } from "@thikaa/schema";
import type { OutboundContent, PartPlan } from "@thikaa/schema";
import { z } from "zod";
import { captionLengthOf, maxTextLength } from "../capabilities.ts";
import { splitText } from "./split-text.ts";

const mediaPayload = z.object({
  method: z.literal("sendMedia"),
  kind: mediaKind,
  url: z.string(),
  guessed: z.literal(true).optional(),
  caption: z.string().nullable(),
});
export type MediaPayload = z.infer<typeof mediaPayload>;

/** One call, as it is stored with the message's plan. */
export const partPayload = z.discriminatedUnion("method", [
  z.object({ method: z.literal("sendMessage"), text: z.string() }),
  mediaPayload,
]);
export type PartPayload = z.infer<typeof partPayload>;

/** Pure. A text that is too long for a caption comes after the file. */
export function plan(message: OutboundMessage): readonly PartPlan[] {
  const { text, media } = message.content;
  const payloads = media === null ? textCalls(text ?? "") : mediaCalls(media, text);
  return payloads.map((payload, index) => ({ n: index + 1, payload }));
}

function textCalls(text: string): PartPayload[] {
  return splitText(text, maxTextLength).map((piece) => ({ method: "sendMessage", text: piece }));
}

function mediaCalls(
  media: NonNullable<OutboundContent["media"]>,
  text: string | null,
): PartPayload[] {
  const call = { method: "sendMedia", ...media } as const;
  if (text === null) return [{ ...call, caption: null }];
  return text.length <= captionLengthOf(media.kind)
    ? [{ ...call, caption: text }]
    : [{ ...call, caption: null }, ...textCalls(text)];
}
