// Sends one part: one call of Telegram, and what came of it.
import { MediaFault } from "@thikaa/connector-kit";
import type { OutboundPart } from "@thikaa/connector-kit";
import type { Outcome } from "@thikaa/schema";
import { readRecipient, writeMessageId } from "../ids.ts";
import type { ChatAddress } from "../ids.ts";
import { outcomeOf, TelegramCallError } from "../platform/errors.ts";
import { partPayload } from "./plan.ts";
import type { PartPayload } from "./plan.ts";
import { sendMedia } from "./send-media.ts";
import type { MediaSender } from "./send-media.ts";
import type { Throttling } from "./throttling.ts";

/** What a connection sends its parts by. */
export interface PartSender extends MediaSender {
  readonly throttling: Throttling;
}

/** Never throws for anything Telegram or the network does. */
export async function sendPart(part: OutboundPart, sender: PartSender): Promise<Outcome> {
  const chat = readRecipient(part.to);
  if (chat === null)
    return rejected(
      "invalid_recipient",
      "A Telegram recipient is a chat's id in digits, like 700000001, or the @name of a public group or channel.",
    );
  const payload = partPayload.safeParse(part.part.payload);
  if (!payload.success)
    return {
      class: "poison",
      reason: {
        code: "internal_error",
        message: "The stored plan of this message can't be read.",
        provider_code: null,
        provider_message: null,
      },
    };
  try {
    return sent(await deliver(sender, chat, payload.data));
  } catch (error) {
    const movedTo = movedChat(error);
    if (movedTo === null) return failed(error, part, sender.throttling);
    // The group has a new id and the old one took nothing: the same goes there, as part of this attempt.
    return deliver(sender, { ...chat, chatId: movedTo }, payload.data).then(
      sent,
      (again: unknown) => failed(again, part, sender.throttling),
    );
  }
}

function deliver(sender: PartSender, chat: ChatAddress, payload: PartPayload): Promise<number> {
  return payload.method === "sendMessage"
    ? sender.client.sendText({ ...chat, text: payload.text })
    : sendMedia(sender, chat, payload);
}

function sent(messageId: number): Outcome {
  return { class: "sent", providerMessageId: writeMessageId(messageId) };
}

function failed(error: unknown, part: OutboundPart, throttling: Throttling): Outcome {
  if (error instanceof MediaFault)
    return {
      class: error.final ? "rejected" : "unavailable",
      reason: { ...error.reason, provider_code: null, provider_message: null },
    };
  if (!(error instanceof TelegramCallError)) throw error;
  return outcomeOf(error, (waitMs) => throttling.scopeOf(part.to, waitMs));
}

function movedChat(error: unknown): string | null {
  if (!(error instanceof TelegramCallError) || error.failure.kind !== "refused") return null;
  return error.failure.migrateToChatId === null ? null : String(error.failure.migrateToChatId);
}

function rejected(code: string, message: string): Outcome {
  return {
    class: "rejected",
    reason: { code, message, provider_code: null, provider_message: null },
  };
}
