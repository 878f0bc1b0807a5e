// Sends one part: one call of Telegram, and what came of it.
import type { OutboundPart } from "@thikaa/connector-kit";
import type { Outcome } from "@thikaa/schema";
import { readRecipient, writeMessageId } from "../ids.ts";
import type { TelegramClient } from "../platform/client.ts";
import { outcomeOf, TelegramCallError } from "../platform/errors.ts";
import { partPayload } from "./plan.ts";
import type { Throttling } from "./throttling.ts";

/** Never throws for anything Telegram or the network does. */
export async function sendPart(
  part: OutboundPart,
  account: { client: TelegramClient; throttling: Throttling },
): Promise<Outcome> {
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
  const message = { ...chat, text: payload.data.text };
  try {
    return sent(await account.client.sendText(message));
  } catch (error) {
    const movedTo = movedChat(error);
    if (movedTo === null) return failed(error, part, account.throttling);
    // The group has a new id and the old one took nothing: the same text goes there, as part of this attempt.
    return account.client
      .sendText({ ...message, chatId: movedTo })
      .then(sent, (again: unknown) => failed(again, part, account.throttling));
  }
}

function sent(messageId: number): Outcome {
  return { class: "sent", providerMessageId: writeMessageId(messageId) };
}

function failed(error: unknown, part: OutboundPart, throttling: Throttling): Outcome {
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
