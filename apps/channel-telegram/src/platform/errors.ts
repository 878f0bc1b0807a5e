// Telegram's errors: what each one means for a message (an outcome) and for a connection (a fault).
import { ConnectionFault } from "@thikaa/connector-kit";
import type { Outcome } from "@thikaa/schema";
import { silentOutcome } from "./silence.ts";
import type { TelegramSilence } from "./silence.ts";

/** An answer of Telegram that is no success. */
export interface TelegramRefusal {
  readonly kind: "refused";
  readonly code: number;
  readonly description: string;
  readonly retryAfterSeconds: number | null;
  readonly migrateToChatId: number | null;
}

/** A call that failed. Carries no URL and no cause: both hold the token. */
export class TelegramCallError extends Error {
  readonly failure: TelegramRefusal | TelegramSilence;

  constructor(method: string, failure: TelegramRefusal | TelegramSilence) {
    super(
      failure.kind === "refused"
        ? `Telegram refused ${method}: ${failure.code} ${failure.description}`
        : `Telegram did not answer ${method}: ${failure.code}`,
    );
    this.name = "TelegramCallError";
    this.failure = failure;
  }
}

interface Row {
  readonly code: number;
  /** Matched anywhere in the description, without regard to case; Telegram changes its texts without notice. */
  readonly says?: RegExp;
  readonly class: "rejected" | "unauthorized" | "unavailable" | "poison";
  readonly reason: string;
  readonly message: string;
}

const unreachable = {
  class: "rejected",
  reason: "recipient_unreachable",
  message:
    "Telegram knows no such chat for this bot: the person has not pressed Start, or the id is wrong.",
} as const;
const blocked = {
  class: "rejected",
  reason: "blocked_by_recipient",
  message: "The person has blocked the bot.",
} as const;
const tokenRefused =
  "Telegram refuses the bot's token: it was revoked or is wrong. Take the current one from @BotFather and give it to this connection.";

/** Telegram could not get a file that was named by an id or an address. */
const notGot =
  /wrong (remote )?file (identifier|id)|wrong file_id|invalid file_id|wrong HTTP URL|failed to get HTTP URL content|wrong type of the web page content/i;

/** Read from the top; the first row that fits holds. A row without `says` is what remains of its code. The reference page is made of it. */
export const errorTable: readonly Row[] = [
  {
    code: 400,
    says: /chat not found|PEER_ID_INVALID|user not found|CHAT_ID_INVALID|business connection not found|BUSINESS_\w+_INVALID/i,
    ...unreachable,
  },
  { code: 400, says: /USER_IS_BLOCKED/i, ...blocked },
  {
    code: 400,
    says: /INPUT_USER_DEACTIVATED/i,
    class: "rejected",
    reason: "recipient_deactivated",
    message: "The person's Telegram account no longer exists.",
  },
  {
    code: 400,
    says: /message text is empty/i,
    class: "rejected",
    reason: "content_empty",
    message: "The text has nothing visible in it.",
  },
  {
    code: 400,
    says: /message is too long|MESSAGE_TOO_LONG|caption is too long/i,
    class: "rejected",
    reason: "content_too_long",
    message: "The text is longer than Telegram takes.",
  },
  {
    code: 400,
    says: /can't parse entities/i,
    class: "rejected",
    reason: "content_malformed",
    message: "Telegram could not read the text's markup.",
  },
  {
    code: 400,
    says: /message to be replied not found|reply message not found/i,
    class: "rejected",
    reason: "reply_target_missing",
    message: "The message that this one answers is gone.",
  },
  // Only edits are answered so, and there it counts as done.
  {
    code: 400,
    says: /message is not modified/i,
    class: "rejected",
    reason: "not_modified",
    message: "Nothing would change.",
  },
  {
    code: 400,
    says: /message to edit not found|message can't be edited|message to delete not found|message can't be deleted|message to react not found|no (text|caption) in the message to edit|MESSAGE_ID_INVALID/i,
    class: "rejected",
    reason: "message_not_changeable",
    message: "That message can no longer be changed or reacted to.",
  },
  {
    code: 400,
    says: /REACTION_INVALID|REACTION_EMPTY|reaction isn't available/i,
    class: "rejected",
    reason: "reaction_not_available",
    message:
      "Telegram does not take this emoji here: bots may set those of its own list, and a group may allow fewer.",
  },
  {
    code: 400,
    says: notGot,
    class: "rejected",
    reason: "media_not_fetched",
    message: "Telegram could not fetch the file.",
  },
  {
    code: 400,
    says: /(file|photo|document|video|audio|voice|sticker) is too big|is too big for a/i,
    class: "rejected",
    reason: "media_too_large",
    message: "The file is larger than Telegram takes.",
  },
  {
    code: 400,
    says: /PHOTO_INVALID_DIMENSIONS|IMAGE_PROCESS_FAILED|file must be non-empty|can't use file of type/i,
    class: "rejected",
    reason: "media_refused",
    message: "Telegram does not take this file.",
  },
  {
    code: 400,
    says: /BUTTON_\w+_INVALID/i,
    class: "rejected",
    reason: "button_refused",
    message: "Telegram does not take one of the buttons.",
  },
  {
    code: 400,
    says: /group chat was (upgraded|migrated) to a supergroup chat/i,
    class: "rejected",
    reason: "recipient_moved",
    message: "The group has a new id.",
  },
  {
    code: 400,
    says: /not enough rights|have no rights|CHAT_\w+_FORBIDDEN|CHAT_WRITE_FORBIDDEN|CHAT_RESTRICTED/i,
    class: "rejected",
    reason: "no_rights",
    message: "The bot has no right to write in this chat.",
  },
  {
    code: 400,
    says: /VOICE_MESSAGES_FORBIDDEN|VIDEO_MESSAGES_FORBIDDEN|USER_PRIVACY_RESTRICTED/i,
    class: "rejected",
    reason: "refused_by_recipient",
    message: "The person's settings do not allow such a message.",
  },
  {
    code: 400,
    class: "rejected",
    reason: "refused_by_provider",
    message: "Telegram refused the message.",
  },
  { code: 401, class: "unauthorized", reason: "token_refused", message: tokenRefused },
  { code: 403, says: /blocked by the user/i, ...blocked },
  {
    code: 403,
    says: /user is deactivated/i,
    class: "rejected",
    reason: "recipient_deactivated",
    message: "The person's Telegram account no longer exists.",
  },
  { code: 403, says: /can't initiate conversation/i, ...unreachable },
  {
    code: 403,
    says: /kicked|not a member|was deleted/i,
    class: "rejected",
    reason: "not_in_chat",
    message: "The bot is no longer in this group or channel.",
  },
  {
    code: 403,
    says: /messages to bots/i,
    class: "rejected",
    reason: "recipient_is_bot",
    message: "Telegram lets no bot write to a bot.",
  },
  {
    code: 403,
    class: "rejected",
    reason: "forbidden_by_provider",
    message: "Telegram does not let the bot write there.",
  },
  {
    code: 404,
    says: /method not found/i,
    class: "poison",
    reason: "internal_error",
    message: "We called something that Telegram does not know.",
  },
  // The token is a part of the path: a malformed one is not found.
  { code: 404, class: "unauthorized", reason: "token_refused", message: tokenRefused },
  {
    code: 409,
    class: "unavailable",
    reason: "conflict",
    message: "Another program uses the same bot. Stop it, or make a new token in @BotFather.",
  },
  {
    code: 413,
    class: "rejected",
    reason: "content_too_large",
    message: "The message is larger than Telegram takes.",
  },
  {
    code: 421,
    class: "unauthorized",
    reason: "token_not_served",
    message: "This Bot API server does not serve the bot's token.",
  },
];

/** How long to wait when Telegram says "too many" without saying how long. */
const defaultWaitSeconds = 5;

/** What a failed send means. `throttleScope` is decided by who has seen the bot's other calls. */
export function outcomeOf(
  error: TelegramCallError,
  throttleScope: (waitMs: number) => "recipient" | "connection" = () => "recipient",
): Outcome {
  const { failure } = error;
  if (failure.kind === "silent") return silentOutcome(failure);
  const provider = { provider_code: String(failure.code), provider_message: failure.description };
  if (failure.code === 429) {
    const retryAfterMs = waitMsOf(failure);
    return {
      class: "throttled",
      retryAfterMs,
      scope: throttleScope(retryAfterMs),
      reason: {
        code: "throttled",
        message: "Telegram asks to wait before the next message.",
        ...provider,
      },
    };
  }
  const row = rowOf(failure);
  return { class: row.class, reason: { code: row.reason, message: row.message, ...provider } };
}

/** How long Telegram asks to wait, in milliseconds; `null` when it does not ask. */
export function retryAfterMsOf({ failure }: TelegramCallError): number | null {
  return failure.kind === "refused" && failure.code === 429 ? waitMsOf(failure) : null;
}

/** Whether Telegram could not get a file by its id or its address; another way may bring it. Nothing was sent. */
export function isFileRefusal({ failure }: TelegramCallError): boolean {
  return failure.kind === "refused" && failure.code === 400 && notGot.test(failure.description);
}

/** Whether an edit would have changed nothing. */
export function isUnchanged({ failure }: TelegramCallError): boolean {
  return failure.kind === "refused" && /message is not modified/i.test(failure.description);
}

/** Whether a message to delete is gone already. */
export function isGone({ failure }: TelegramCallError): boolean {
  return failure.kind === "refused" && /message to delete not found/i.test(failure.description);
}

/** What a failed call means for the connection, when it is opened or polled. */
export function faultOf(error: TelegramCallError): ConnectionFault {
  const { failure } = error;
  if (failure.kind === "silent") {
    return new ConnectionFault({
      state: "recovering",
      reason: {
        code: "provider_unreachable",
        message: `Telegram can't be reached just now (${failure.code}). It is tried again by itself.`,
      },
    });
  }
  if (failure.code === 429)
    return new ConnectionFault({
      state: "limited",
      retryAfterMs: waitMsOf(failure),
      reason: { code: "throttled", message: "Telegram asks to wait. It goes on by itself." },
    });
  const row = rowOf(failure);
  if (row.class === "unauthorized")
    return new ConnectionFault({
      state: "attention",
      reason: { code: row.reason, message: row.message },
    });
  if (failure.code === 409)
    return new ConnectionFault({
      state: "recovering",
      reason: { code: "conflict", message: conflictMessage(failure.description) },
    });
  if (/webhook/i.test(failure.description))
    return new ConnectionFault({
      state: "recovering",
      reason: {
        code: "webhook_refused",
        message: `Telegram can't post to this house (${failure.description}): its PUBLIC_URL must be an https address that the internet reaches. It is tried again by itself.`,
      },
    });
  return new ConnectionFault({
    state: "recovering",
    reason: {
      code: "provider_error",
      message: `Telegram answers with an error (${failure.code} ${failure.description}). It is tried again by itself.`,
    },
  });
}

function rowOf(failure: TelegramRefusal): Row {
  const found = errorTable.find(
    (row) =>
      row.code === failure.code && (row.says === undefined || row.says.test(failure.description)),
  );
  if (found !== undefined) return found;
  // An answer in Telegram's own form with a 5xx code: it refused before it sent anything.
  if (failure.code >= 500)
    return {
      code: failure.code,
      class: "unavailable",
      reason: "provider_error",
      message: "Telegram has an error of its own just now.",
    };
  return {
    code: failure.code,
    class: "rejected",
    reason: "refused_by_provider",
    message: "Telegram refused the message.",
  };
}

function conflictMessage(description: string): string {
  if (/webhook/i.test(description))
    return "Another program has set a webhook for this bot. Stop that program, or make a new token in @BotFather; until then nothing comes in here.";
  return "Another program fetches this bot's messages with the same token. Stop it, or make a new token in @BotFather; until then messages may come in late.";
}

function waitMsOf(failure: TelegramRefusal): number {
  return 1_000 * Math.max(1, failure.retryAfterSeconds ?? defaultWaitSeconds);
}
