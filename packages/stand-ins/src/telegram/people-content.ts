// What people send beside words and single files: places, cards, albums, reactions, and anything else as Telegram writes it.
import { randomInt } from "node:crypto";
import { addMessage, unixSeconds } from "./chats.ts";
import { typeOfName, wireMedia } from "./file-kinds.ts";
import type { FileKind } from "./files.ts";
import { markPlainText } from "./message-text.ts";
import { messageIn, openedChat, pushMessage } from "./people-actions.ts";
import type { PersonActionResult } from "./people-actions.ts";
import { chatOf, personUser } from "./state.ts";
import type { TelegramState } from "./state.ts";
import type { WireContact, WireMessage } from "./wire.ts";

const DAY_MS = 86_400_000;

/** Who does something, where. */
export interface PersonInChat {
  personId: number;
  botId: number;
}

/** A place; with a venue it has a name. */
export interface PersonPlace extends PersonInChat {
  latitude: number;
  longitude: number;
  venue?: { title: string; address: string } | undefined;
  replyTo?: number | undefined;
}

/** A card of somebody; `userId` when that is a person of Telegram. */
export interface PersonCard extends PersonInChat {
  phoneNumber: string;
  firstName: string;
  lastName?: string | undefined;
  userId?: number | undefined;
}

/** Files sent together. */
export interface PersonAlbum extends PersonInChat {
  files: readonly {
    kind: FileKind;
    bytes: Uint8Array;
    name?: string | undefined;
    caption?: string | undefined;
  }[];
}

export function personSendsPlace(state: TelegramState, sent: PersonPlace): PersonActionResult {
  const { latitude, longitude, venue } = sent;
  const location = { latitude, longitude };
  // As the real service: a venue's place stands there twice.
  const content = venue === undefined ? { location } : { venue: { location, ...venue }, location };
  return sendContent(state, sent, content);
}

export function personSendsCard(state: TelegramState, sent: PersonCard): PersonActionResult {
  const contact: WireContact = {
    phone_number: sent.phoneNumber,
    first_name: sent.firstName,
    ...(sent.lastName === undefined ? {} : { last_name: sent.lastName }),
    ...(sent.userId === undefined ? {} : { user_id: sent.userId }),
  };
  return sendContent(state, sent, { contact });
}

/** Sends what has no action of its own here (a poll, a dice…): `content` is its part of the message, as Telegram writes it. */
export function personSendsOther(
  state: TelegramState,
  sent: PersonInChat & { content: Record<string, unknown> },
): PersonActionResult {
  return sendContent(state, sent, sent.content);
}

/** One message a file, all of one album. */
export function personSendsAlbum(state: TelegramState, sent: PersonAlbum): PersonActionResult[] {
  const chat = openedChat(state, sent);
  const album = String(randomInt(10_000_000_000, 99_999_999_999));
  return sent.files.map(({ kind, bytes, name = null, caption = "" }) => {
    const keepsName = kind === "document" || kind === "video" || kind === "audio";
    const file = state.files.add(chat.bot.id, {
      kind,
      bytes: Buffer.from(bytes),
      name: keepsName ? name : null,
      mime: keepsName ? typeOfName(name) : null,
    });
    const message = addMessage(state, chat, {
      author: "person",
      formatted: markPlainText(caption),
      media: wireMedia(state.files, chat.bot.id, file),
      content: { media_group_id: album },
    });
    return {
      messageId: message.wire.message_id,
      updateId: pushMessage(state, chat, { kind: "message", message }),
    };
  });
}

/** The person's one reaction to a message becomes this; null takes it back. Nothing is told to a bot that did not ask for it. */
export function personReacts(
  state: TelegramState,
  reaction: PersonInChat & { messageId: number; emoji: string | null },
): number | null {
  const chat = state.openChat(reaction.botId, reaction.personId);
  const message = messageIn(chat, reaction.messageId);
  const before = message.reaction ?? null;
  message.reaction = reaction.emoji;
  const body = {
    chat: chatOf(chat),
    message_id: reaction.messageId,
    user: personUser(chat.person),
    date: unixSeconds(state),
    old_reaction: toReactions(before),
    new_reaction: toReactions(reaction.emoji),
  };
  return state.pushUpdate(chat.bot, {
    kind: "message_reaction",
    body,
    lane: `reaction/${chat.person.id}`,
    lifetimeMs: DAY_MS,
  });
}

function toReactions(emoji: string | null): { type: "emoji"; emoji: string }[] {
  return emoji === null ? [] : [{ type: "emoji", emoji }];
}

function sendContent(
  state: TelegramState,
  sent: PersonInChat & { replyTo?: number | undefined },
  content: Partial<WireMessage> | Record<string, unknown>,
): PersonActionResult {
  const chat = openedChat(state, sent);
  const message = addMessage(state, chat, {
    author: "person",
    formatted: null,
    content,
    replyTo: sent.replyTo === undefined ? null : messageIn(chat, sent.replyTo),
  });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "message", message }),
  };
}
