// Telegram's posts: proven by the secret that we gave with setWebhook.
import { createHash, timingSafeEqual } from "node:crypto";
import type { WebhookFacet } from "@thikaa/connector-kit";
import { pressOf } from "./inbound/press.ts";
import { parseJson, splitBody } from "./inbound/raw-items.ts";

const secretHeader = "x-telegram-bot-api-secret-token";

export const webhook: WebhookFacet = {
  verify({ headers }, { webhookSecret }) {
    const given = headers[secretHeader];
    // Digests are of one length, so that the comparison takes the same time for every secret.
    return given !== undefined && timingSafeEqual(digest(given), digest(webhookSecret));
  },
  split: splitBody,
  // Telegram runs a method that it is answered with: whichever process took the press ends the button's spinning.
  answer([item]) {
    const id = item === undefined ? null : pressOf(parseJson(item.raw));
    return id === null
      ? null
      : JSON.stringify({ method: "answerCallbackQuery", callback_query_id: id });
  },
};

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
