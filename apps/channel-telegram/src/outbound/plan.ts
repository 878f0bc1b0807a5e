// Plans a message into Telegram calls: one text each, split where Telegram's limit asks for it.
import type { OutboundMessage } from "@thikaa/connector-kit";
import type { PartPlan } from "@thikaa/schema";
import { z } from "zod";
import { maxTextLength } from "../capabilities.ts";
import { splitText } from "./split-text.ts";

/** One call, as it is stored with the message's plan. */
export const partPayload = z.object({ method: z.literal("sendMessage"), text: z.string() });
export type PartPayload = z.infer<typeof partPayload>;

/** Pure. Throws when the message has media, which the channel's capabilities do not name: nothing may be left out silently. */
export function plan(message: OutboundMessage): readonly PartPlan[] {
  const { text, media } = message.content;
  if (media !== null) throw new Error("this channel carries text only");
  return splitText(text ?? "", maxTextLength).map((piece, index) => ({
    n: index + 1,
    payload: { method: "sendMessage", text: piece } satisfies PartPayload,
  }));
}
