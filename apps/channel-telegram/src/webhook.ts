// Telegram's posts: proven by the secret that we gave with setWebhook.
import { createHash, timingSafeEqual } from "node:crypto";
import type { WebhookFacet } from "@thikaa/connector-kit";
import { splitBody } from "./inbound/raw-items.ts";

const secretHeader = "x-telegram-bot-api-secret-token";

export const webhook: WebhookFacet = {
  verify({ headers }, { webhookSecret }) {
    const given = headers[secretHeader];
    // Digests are of one length, so that the comparison takes the same time for every secret.
    return given !== undefined && timingSafeEqual(digest(given), digest(webhookSecret));
  },
  split: splitBody,
};

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
