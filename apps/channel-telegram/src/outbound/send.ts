// Sends one part: one call of Telegram, and what came of it.
import { MediaFault } from "@thikaa/connector-kit";
import type { ConnectorContext, KnownMessage, OutboundPart } from "@thikaa/connector-kit";
import type { MessageReason, Outcome } from "@thikaa/schema";
import { readRecipient, writeMessageId } from "../ids.ts";
import type { ChatAddress } from "../ids.ts";
import { outcomeOf, TelegramCallError } from "../platform/errors.ts";
import type { MessageFrame } from "../platform/media-calls.ts";
import { ChangeRefusal, changeSent } from "./change.ts";
import { contactCard } from "./contact-card.ts";
import { frameOf } from "./frame.ts";
import { isChange, partPayload } from "./plan.ts";
import type { MessagePayload, PartPayload } from "./plan.ts";
import { sendMedia } from "./send-media.ts";
import type { MediaSender } from "./send-media.ts";
import type { Throttling } from "./throttling.ts";

/** What a connection sends its parts by. */
export interface PartSender extends MediaSender {
  readonly throttling: Throttling;
  readonly message: ConnectorContext["message"];
}

/** One part, read, on its way to a chat. */
interface Delivery {
  readonly sender: PartSender;
  readonly chat: ChatAddress;
  readonly payload: PartPayload;
  /** The recipient as our tables know it. */
  readonly to: string;
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
      reason: reasonOf("internal_error", "The stored plan of this message can't be read."),
    };
  const delivery = { sender, chat, payload: payload.data, to: part.to };
  try {
    return sent(await deliver(delivery));
  } catch (error) {
    const movedTo = movedChat(error);
    if (movedTo === null) return failed(error, part, sender.throttling);
    // The group has a new id and the old one took nothing: the same goes there, as part of this attempt.
    return deliver({ ...delivery, chat: { ...chat, chatId: movedTo } }).then(
      sent,
      (again: unknown) => failed(again, part, sender.throttling),
    );
  }
}

/** Gives the id of the message that was made; `null` when one was changed or reacted to. */
async function deliver({ sender, chat, payload, to }: Delivery): Promise<number | null> {
  if (isChange(payload)) {
    const known = await find(sender, payload.target, to);
    await changeSent({ client: sender.client, chat, known }, payload);
    return null;
  }
  const answered = payload.replyTo === undefined ? null : await find(sender, payload.replyTo, to);
  const frame = frameOf(chat, answered, payload.buttons);
  return payload.method === "sendMedia"
    ? sendMedia(sender, { chatId: chat.chatId, frame }, payload)
    : sender.client.sendPlain(plainCall(payload, { chat_id: chat.chatId, ...frame }));
}

/** A message that another one refers to could not be looked up just now; nothing was sent. */
class LookupFailure extends Error {}

function find(sender: PartSender, messageId: string, to: string): Promise<KnownMessage | null> {
  return sender.message(messageId, to).catch((cause: unknown) => {
    throw new LookupFailure("a message could not be looked up", { cause });
  });
}

type PlainPayload = Exclude<MessagePayload, { method: "sendMedia" }>;

/** A text goes as it is, without markup: nothing in it can be taken for any. */
function plainCall(payload: PlainPayload, common: MessageFrame & { chat_id: string }) {
  switch (payload.method) {
    case "sendMessage":
      return { method: "sendMessage", ...common, text: payload.text } as const;
    case "sendContact":
      return { method: "sendContact", ...common, ...contactCard(payload.contact) } as const;
    case "sendLocation":
      return placeCall(payload, common);
  }
}

/** A place with words is a venue, which needs both a title and an address; one without is a point. */
function placeCall(
  { location }: Extract<PlainPayload, { method: "sendLocation" }>,
  common: MessageFrame & { chat_id: string },
) {
  const { latitude, longitude, name, address } = location;
  const point = { ...common, latitude, longitude };
  const title = name ?? address;
  if (title === null) return { method: "sendLocation", ...point } as const;
  const where = name === null || address === null ? `${latitude}, ${longitude}` : address;
  return { method: "sendVenue", ...point, title, address: where } as const;
}

function sent(messageId: number | null): Outcome {
  return {
    class: "sent",
    providerMessageId: messageId === null ? null : writeMessageId(messageId),
  };
}

function failed(error: unknown, part: OutboundPart, throttling: Throttling): Outcome {
  if (error instanceof MediaFault)
    return {
      class: error.final ? "rejected" : "unavailable",
      reason: { ...error.reason, provider_code: null, provider_message: null },
    };
  if (error instanceof ChangeRefusal)
    return {
      class: error.code === "not_sent_yet" ? "unavailable" : "rejected",
      reason: reasonOf(error.code, error.message),
    };
  if (error instanceof LookupFailure)
    return {
      class: "unavailable",
      reason: reasonOf("database_unavailable", "The message it refers to can't be read just now."),
    };
  if (!(error instanceof TelegramCallError)) throw error;
  return outcomeOf(error, (waitMs) => throttling.scopeOf(part.to, waitMs));
}

function movedChat(error: unknown): string | null {
  if (!(error instanceof TelegramCallError) || error.failure.kind !== "refused") return null;
  return error.failure.migrateToChatId === null ? null : String(error.failure.migrateToChatId);
}

function rejected(code: string, message: string): Outcome {
  return { class: "rejected", reason: reasonOf(code, message) };
}

function reasonOf(code: string, message: string): MessageReason {
  return { code, message, provider_code: null, provider_message: null };
}
