// Converts an update to the shared schema. Pure, lenient, never throws.
import type { RawItem } from "@thikaa/connector-kit";
import type { Converted, InboundContact, InboundMessage } from "@thikaa/schema";
import { writeMessageId, writeRecipient } from "../ids.ts";
import { callbackQuery, message, update } from "../platform/types.ts";
import type { TelegramCallbackQuery, TelegramMessage, TelegramPerson } from "../platform/types.ts";
import { kindOf, parseJson } from "./raw-items.ts";
import { contentKindOf } from "./content-kind.ts";
import { mediaOf } from "./media.ts";

type Convert = (body: unknown, kind: string) => Converted;

/** By the update's kind; any other kind is a notice. */
const conversions: Readonly<Record<string, Convert>> = {
  message: (body, kind) => convertMessage(body, { kind, edited: false }),
  edited_message: (body, kind) => convertMessage(body, { kind, edited: true }),
  business_message: (body, kind) => convertMessage(body, { kind, edited: false }),
  edited_business_message: (body, kind) => convertMessage(body, { kind, edited: true }),
  callback_query: convertPress,
  my_chat_member: (_body, kind) => notice("membership_changed", kind),
};

/** The shared form of an item. */
export function convert(item: RawItem): Converted {
  const parsed = update.safeParse(parseJson(item.raw));
  if (!parsed.success) return notice("unreadable", null);
  const [kind, body] = kindOf(parsed.data);
  return Object.hasOwn(conversions, kind)
    ? (conversions[kind]?.(body, kind) ?? notice("not_a_message", kind))
    : notice("not_a_message", kind);
}

function convertMessage(
  body: unknown,
  { kind, edited }: { kind: string; edited: boolean },
): Converted {
  const parsed = message.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const said = parsed.data;
  if (isOwn(said)) return notice("own_message", kind);
  const contentKind = contentKindOf(said);
  const text = said.text ?? said.caption ?? null;
  const media = mediaOf(said, contentKind);
  const type = contentKind === "text" ? "text" : (media?.type ?? "unsupported");
  return {
    ...emptyMessage,
    from: writeRecipient({
      chatId: String(said.chat.id),
      businessId: said.business_connection_id ?? null,
    }),
    contact: contactOf(said),
    type: edited ? "edit" : type,
    raw_type: type === "unsupported" ? contentKind : null,
    text,
    media: media === null ? [] : [media],
    reply_to:
      said.reply_to_message === undefined ? null : writeMessageId(said.reply_to_message.message_id),
    edited,
    provider_message_id: writeMessageId(said.message_id),
    sent_at: isoTime((edited ? said.edit_date : undefined) ?? said.date),
  };
}

/** A pressed button: the message it stood under is what it answers. */
function convertPress(body: unknown, kind: string): Converted {
  const parsed = callbackQuery.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const press = parsed.data;
  // A button of a message sent "via" the bot elsewhere: there is no chat to answer in.
  const chatId = press.message?.chat.id ?? press.from.id;
  return {
    ...emptyMessage,
    from: writeRecipient({
      chatId: String(chatId),
      businessId: press.message?.business_connection_id ?? null,
    }),
    contact: contactOfPerson(press.from),
    type: "button_reply",
    text: titleOf(press),
    button: { id: press.data ?? "", title: titleOf(press) },
    reply_to: press.message === undefined ? null : writeMessageId(press.message.message_id),
    provider_message_id: press.id,
  };
}

function titleOf(press: TelegramCallbackQuery): string | null {
  const buttons = press.message?.reply_markup?.inline_keyboard.flat() ?? [];
  return (
    buttons.find(
      (button) => button.callback_data !== undefined && button.callback_data === press.data,
    )?.text ?? null
  );
}

/** In a business account's chats the owner's own words and those of bots come by too: in a private chat the customer's id is the chat's. */
function isOwn(said: TelegramMessage): boolean {
  if (said.business_connection_id === undefined) return false;
  return (
    said.sender_business_bot !== undefined ||
    (said.from !== undefined && said.from.id !== said.chat.id)
  );
}

/** The person of a private chat, else the group: whoever an answer would reach. */
function contactOf(said: TelegramMessage): InboundContact {
  const { chat, from } = said;
  if (from !== undefined && from.id === chat.id) return contactOfPerson(from);
  return {
    name: chat.title ?? joinNames(chat.first_name, chat.last_name),
    phone: null,
    username: chat.username ?? null,
    locale: null,
  };
}

function contactOfPerson(person: TelegramPerson): InboundContact {
  return {
    name: joinNames(person.first_name, person.last_name),
    phone: null,
    username: person.username ?? null,
    locale: person.language_code ?? null,
  };
}

function joinNames(first: string | undefined, last: string | undefined): string | null {
  const name = [first, last].filter((part) => part !== undefined && part !== "").join(" ");
  return name === "" ? null : name;
}

function isoTime(seconds: number | undefined): string | null {
  // A message that Telegram no longer shows has the time 0.
  if (seconds === undefined || seconds <= 0 || seconds > 8_640_000_000_000) return null;
  return new Date(seconds * 1000).toISOString();
}

function notice(reason: string, rawType: string | null): Converted {
  return { kind: "notice", reason, raw_type: rawType };
}

const emptyMessage: Omit<InboundMessage, "from" | "contact" | "type"> = {
  kind: "message",
  raw_type: null,
  text: null,
  media: [],
  button: null,
  location: null,
  contacts: null,
  reaction: null,
  reply_to: null,
  edited: false,
  provider_message_id: null,
  sent_at: null,
};
