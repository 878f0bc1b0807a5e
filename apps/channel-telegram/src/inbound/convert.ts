// Converts an update to the shared schema. Pure, lenient, never throws.
import type { RawItem } from "@thikaa/connector-kit";
import type { Converted, InboundMessage } from "@thikaa/schema";
import { readUpdatePlace, writeEditId, writeMessageId } from "../ids.ts";
import {
  deletedMessages,
  membership,
  message,
  messageReaction,
  update,
} from "../platform/types.ts";
import type { TelegramMessage } from "../platform/types.ts";
import { contentKindOf, isService } from "./content-kind.ts";
import { mediaOf } from "./media.ts";
import { emptyMessage, isoTime, notice } from "./parts.ts";
import { addressOf, contactOfChat, contactOfPerson, isOwn, joinNames, writerOf } from "./people.ts";
import { convertPress } from "./press.ts";
import { kindOf, parseJson } from "./raw-items.ts";

/** `place` counts the items of an update that tells of several. */
type Convert = (body: unknown, about: { kind: string; place: number }) => Converted;

/** By the update's kind; any other kind is a notice. */
const conversions: Readonly<Record<string, Convert>> = {
  message: (body, { kind }) => convertMessage(body, { kind, edited: false }),
  edited_message: (body, { kind }) => convertMessage(body, { kind, edited: true }),
  business_message: (body, { kind }) => convertMessage(body, { kind, edited: false }),
  edited_business_message: (body, { kind }) => convertMessage(body, { kind, edited: true }),
  deleted_business_messages: convertDeletion,
  callback_query: (body, { kind }) => convertPress(body, kind),
  message_reaction: (body, { kind }) => convertReaction(body, kind),
  my_chat_member: (body, { kind }) => convertMembership(body, kind),
};

/** The shared form of an item. */
export function convert(item: RawItem): Converted {
  const parsed = update.safeParse(parseJson(item.raw));
  if (!parsed.success) return notice("unreadable", null);
  const [kind, body] = kindOf(parsed.data);
  const conversion = Object.hasOwn(conversions, kind) ? conversions[kind] : undefined;
  return (
    conversion?.(body, { kind, place: readUpdatePlace(item.key) }) ?? notice("not_a_message", kind)
  );
}

function convertMessage(
  body: unknown,
  { kind, edited }: { kind: string; edited: boolean },
): Converted {
  const parsed = message.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const said = parsed.data;
  const contentKind = contentKindOf(said);
  if (isService(contentKind)) return notice("service_message", contentKind);
  const content = contentOf(said, contentKind);
  if (isOwn(said)) return convertOwn(said, { kind, edited, content });
  return {
    ...emptyMessage,
    from: addressOf(said.chat, said.business_connection_id),
    ...writerOf(said),
    ...wordsOf(said, { edited, content }),
    edited,
    provider_message_id: writeMessageId(said.message_id),
  };
}

/** In a business account's chats: what the owner wrote by hand, and what a bot wrote for the account. */
function convertOwn(
  said: TelegramMessage,
  { kind, edited, content }: { kind: string; edited: boolean; content: Content },
): Converted {
  // Bots edit by our commands, whose end we know.
  if (edited && said.sender_business_bot !== undefined) return notice("own_message", kind);
  const { kind: _kind, edited: _edited, button: _button, ...empty } = emptyMessage;
  const id = writeMessageId(said.message_id);
  return {
    ...empty,
    kind: "own",
    to: addressOf(said.chat, said.business_connection_id),
    contact: contactOfChat(said.chat),
    ...wordsOf(said, { edited, content }),
    provider_message_id: edited ? writeEditId(id, said.edit_date ?? 0) : id,
    refers_to: edited ? id : null,
  };
}

function wordsOf(
  said: TelegramMessage,
  { edited, content }: { edited: boolean; content: Content },
) {
  return {
    text: said.text ?? said.caption ?? null,
    ...content,
    type: edited ? ("edit" as const) : content.type,
    reply_to:
      said.reply_to_message === undefined ? null : writeMessageId(said.reply_to_message.message_id),
    ...(said.media_group_id === undefined ? {} : { album_id: said.media_group_id }),
    sent_at: isoTime((edited ? said.edit_date : undefined) ?? said.date),
  };
}

type Content = Pick<InboundMessage, "type"> &
  Partial<Pick<InboundMessage, "raw_type" | "media" | "location" | "contacts">>;

function contentOf(said: TelegramMessage, contentKind: string): Content {
  const { venue, location, contact } = said;
  const media = mediaOf(said, contentKind);
  if (contentKind === "text") return { type: "text" };
  if (media !== null) return { type: media.type, media: [media] };
  if (contentKind === "venue" && venue !== undefined)
    return { type: "location", location: placeOf(venue.location, venue) };
  if (contentKind === "location" && location !== undefined)
    return { type: "location", location: placeOf(location) };
  if (contentKind === "contact" && contact !== undefined) {
    const name = joinNames(contact.first_name, contact.last_name);
    return { type: "contact", contacts: [{ name, phones: [contact.phone_number] }] };
  }
  return { type: "unsupported", raw_type: contentKind };
}

function placeOf(
  { latitude, longitude }: { latitude: number; longitude: number },
  { title, address }: { title?: string | undefined; address?: string | undefined } = {},
): NonNullable<InboundMessage["location"]> {
  return { latitude, longitude, name: title ?? null, address: address ?? null };
}

/** Telegram tells the message that was reacted to, and all reactions of the person as they are now: the last one counts, none is a withdrawal. */
function convertReaction(body: unknown, kind: string): Converted {
  const parsed = messageReaction.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const { chat, user, message_id: messageId, date, new_reaction: reactions } = parsed.data;
  const last = reactions.at(-1);
  return {
    ...emptyMessage,
    from: addressOf(chat, undefined),
    ...writerOf({ chat, from: user }),
    type: "reaction",
    raw_type: last === undefined || last.type === "emoji" ? null : (last.type ?? null),
    reaction: { emoji: last?.emoji ?? null, provider_message_id: writeMessageId(messageId) },
    sent_at: isoTime(date),
  };
}

/** One of the messages that were taken back in a business account's chat. */
function convertDeletion(
  body: unknown,
  { kind, place }: { kind: string; place: number },
): Converted {
  const parsed = deletedMessages.safeParse(body);
  const messageId = parsed.data?.message_ids[place];
  if (!parsed.success || messageId === undefined) return notice("unreadable", kind);
  const { chat, business_connection_id: businessId } = parsed.data;
  return {
    ...emptyMessage,
    from: addressOf(chat, businessId),
    contact: contactOfChat(chat),
    type: "delete",
    provider_message_id: writeMessageId(messageId),
  };
}

/** In a private chat the bot is thrown out by being blocked; elsewhere it is told where it belongs, which is nobody's word. */
function convertMembership(body: unknown, kind: string): Converted {
  const parsed = membership.safeParse(body);
  if (!parsed.success) return notice("unreadable", kind);
  const { chat, from, new_chat_member: member } = parsed.data;
  if (chat.id !== from.id) return notice("membership_changed", kind);
  return {
    kind: "block",
    from: addressOf(chat, undefined),
    contact: contactOfPerson(from),
    blocked: member.status === "kicked",
  };
}
