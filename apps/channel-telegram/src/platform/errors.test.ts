// Every row of Telegram's error table, and the network's errors: what each means for a message and for a connection.
import { expect, test } from "vitest";
import { connectTimeoutCode } from "./transport.ts";
import { faultOf, outcomeOf, TelegramCallError } from "./errors.ts";

const refused = (code: number, description: string, more: { retryAfterSeconds?: number } = {}) =>
  new TelegramCallError("sendMessage", {
    kind: "refused",
    code,
    description,
    retryAfterSeconds: more.retryAfterSeconds ?? null,
    migrateToChatId: null,
  });
const silent = (code: string) => new TelegramCallError("sendMessage", { kind: "silent", code });

test.each([
  [400, "Bad Request: chat not found", "rejected", "recipient_unreachable"],
  [400, "Bad Request: PEER_ID_INVALID", "rejected", "recipient_unreachable"],
  [400, "Bad Request: message text is empty", "rejected", "content_empty"],
  [400, "Bad Request: message is too long", "rejected", "content_too_long"],
  [400, "Bad Request: MESSAGE_TOO_LONG", "rejected", "content_too_long"],
  [
    400,
    "Bad Request: can't parse entities: Unsupported start tag at byte offset 3",
    "rejected",
    "content_malformed",
  ],
  [400, "Bad Request: message to be replied not found", "rejected", "reply_target_missing"],
  [400, "Bad Request: reply message not found", "rejected", "reply_target_missing"],
  [
    400,
    "Bad Request: message is not modified: specified new message content…",
    "rejected",
    "not_modified",
  ],
  [400, "Bad Request: message to edit not found", "rejected", "message_not_changeable"],
  [400, "Bad Request: message can't be edited", "rejected", "message_not_changeable"],
  [400, "Bad Request: message to delete not found", "rejected", "message_not_changeable"],
  [400, "Bad Request: message can't be deleted", "rejected", "message_not_changeable"],
  [400, "Bad Request: message to react not found", "rejected", "message_not_changeable"],
  [400, "Bad Request: REACTION_INVALID", "rejected", "reaction_not_available"],
  [400, "Bad Request: wrong file identifier/HTTP URL specified", "rejected", "media_not_fetched"],
  [400, "Bad Request: failed to get HTTP URL content", "rejected", "media_not_fetched"],
  [400, "Bad Request: wrong type of the web page content", "rejected", "media_not_fetched"],
  [400, "Bad Request: file is too big", "rejected", "media_too_large"],
  [
    400,
    "Bad Request: file of size 9 bytes is too big for a photo; the maximum size is 8 bytes",
    "rejected",
    "media_too_large",
  ],
  [400, "Bad Request: PHOTO_INVALID_DIMENSIONS", "rejected", "media_refused"],
  [400, "Bad Request: IMAGE_PROCESS_FAILED", "rejected", "media_refused"],
  [400, "Bad Request: BUTTON_DATA_INVALID", "rejected", "button_refused"],
  [400, "Bad Request: BUTTON_URL_INVALID", "rejected", "button_refused"],
  [400, "Bad Request: group chat was upgraded to a supergroup chat", "rejected", "recipient_moved"],
  [400, "Bad Request: group chat was migrated to a supergroup chat", "rejected", "recipient_moved"],
  [
    400,
    "Bad Request: not enough rights to send text messages to the chat",
    "rejected",
    "no_rights",
  ],
  [400, "Bad Request: CHAT_WRITE_FORBIDDEN", "rejected", "no_rights"],
  [400, "Bad Request: USER_IS_BLOCKED", "rejected", "blocked_by_recipient"],
  [400, "Bad Request: INPUT_USER_DEACTIVATED", "rejected", "recipient_deactivated"],
  [400, "Bad Request: business connection not found", "rejected", "recipient_unreachable"],
  [400, "Bad Request: BUSINESS_CONNECTION_INVALID", "rejected", "recipient_unreachable"],
  [
    400,
    "Bad Request: there is no text in the message to edit",
    "rejected",
    "message_not_changeable",
  ],
  [400, "Bad Request: MESSAGE_ID_INVALID", "rejected", "message_not_changeable"],
  [400, "Bad Request: message caption is too long", "rejected", "content_too_long"],
  [400, "Bad Request: VOICE_MESSAGES_FORBIDDEN", "rejected", "refused_by_recipient"],
  [400, "Bad Request: invalid file_id", "rejected", "media_not_fetched"],
  [
    400,
    "Bad Request: wrong file_id or the file is temporarily unavailable",
    "rejected",
    "media_not_fetched",
  ],
  [400, "Bad Request: something new", "rejected", "refused_by_provider"],
  [401, "Unauthorized", "unauthorized", "token_refused"],
  [401, "Unauthorized: invalid token specified", "unauthorized", "token_refused"],
  [403, "Forbidden: bot was blocked by the user", "rejected", "blocked_by_recipient"],
  [403, "Forbidden: user is deactivated", "rejected", "recipient_deactivated"],
  [
    403,
    "Forbidden: bot can't initiate conversation with a user",
    "rejected",
    "recipient_unreachable",
  ],
  [403, "Forbidden: bot was kicked from the group chat", "rejected", "not_in_chat"],
  [403, "Forbidden: bot was kicked from the supergroup chat", "rejected", "not_in_chat"],
  [403, "Forbidden: bot was kicked from the channel chat", "rejected", "not_in_chat"],
  [403, "Forbidden: bot is not a member of the supergroup chat", "rejected", "not_in_chat"],
  [403, "Forbidden: bot is not a member of the channel chat", "rejected", "not_in_chat"],
  [403, "Forbidden: the group chat was deleted", "rejected", "not_in_chat"],
  [403, "Forbidden: bot can't send messages to bots", "rejected", "recipient_is_bot"],
  [403, "Forbidden: something new", "rejected", "forbidden_by_provider"],
  [404, "Not Found", "unauthorized", "token_refused"],
  [404, "Not Found: method not found", "poison", "internal_error"],
  [409, "Conflict: terminated by other setWebhook", "unavailable", "conflict"],
  [413, "Request Entity Too Large", "rejected", "content_too_large"],
  [421, "Misdirected Request: unallowed token specified", "unauthorized", "token_not_served"],
  [
    409,
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "unavailable",
    "conflict",
  ],
  [409, "Conflict: terminated by setWebhook request", "unavailable", "conflict"],
  [500, "Internal Server Error: restart", "unavailable", "provider_error"],
  [418, "I'm a teapot", "rejected", "refused_by_provider"],
])("%i %s is %s (%s)", (code, description, outcomeClass, reason) => {
  expect(outcomeOf(refused(code, description))).toMatchObject({
    class: outcomeClass,
    reason: { code: reason, provider_code: String(code), provider_message: description },
  });
});

test("429 waits as long as Telegram says, for whom its caller decides", () => {
  const error = refused(429, "Too Many Requests: retry after 14", { retryAfterSeconds: 14 });
  expect(outcomeOf(error)).toMatchObject({
    class: "throttled",
    retryAfterMs: 14_000,
    scope: "recipient",
  });
  expect(
    outcomeOf(error, (waitMs) => (waitMs === 14_000 ? "connection" : "recipient")),
  ).toMatchObject({ scope: "connection" });
  expect(outcomeOf(refused(429, "Too Many Requests"))).toMatchObject({
    class: "throttled",
    retryAfterMs: 5_000,
  });
});

test.each([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  connectTimeoutCode,
  "CERT_HAS_EXPIRED",
])("%s comes before a byte was sent: certainly not sent", (code) => {
  expect(outcomeOf(silent(code))).toMatchObject({
    class: "unavailable",
    reason: { code: "provider_unreachable", provider_code: code },
  });
});

test.each([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "timeout",
  "invalid-json",
  "UND_ERR_ABORTED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "unknown",
])("%s may come after Telegram took the message: uncertain", (code) => {
  expect(outcomeOf(silent(code))).toMatchObject({
    class: "uncertain",
    reason: { code: "no_answer" },
  });
});

test.each([
  [refused(401, "Unauthorized"), "attention", "token_refused"],
  [refused(404, "Not Found"), "attention", "token_refused"],
  [refused(421, "Misdirected Request: unallowed token specified"), "attention", "token_not_served"],
  [
    refused(
      409,
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
    "recovering",
    "conflict",
  ],
  [
    refused(400, "Bad Request: bad webhook: IP address 10.0.0.5 is reserved"),
    "recovering",
    "webhook_refused",
  ],
  [refused(500, "Internal Server Error: restart"), "recovering", "provider_error"],
  [silent("ECONNREFUSED"), "recovering", "provider_unreachable"],
  [silent("invalid-json"), "recovering", "provider_unreachable"],
])("a connection that meets %s is in %s (%s)", (error, state, reason) => {
  expect(faultOf(error)).toMatchObject({ state, reason: { code: reason } });
});

test("a connection that is throttled is limited for as long as Telegram says", () => {
  expect(
    faultOf(refused(429, "Too Many Requests: retry after 14", { retryAfterSeconds: 14 })),
  ).toMatchObject({ state: "limited", retryAfterMs: 14_000 });
});

test("a conflict with a webhook is told from one with another poller", () => {
  const webhook = faultOf(
    refused(
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    ),
  );
  const poller = faultOf(
    refused(
      409,
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
  );
  expect(webhook.reason.message).toContain("webhook");
  expect(poller.reason.message).not.toBe(webhook.reason.message);
});
