// Puts messages into chats: what the person's phone shows and what the bot's answers say.
import { badRequest, forbidden } from "./api-error.ts";
import type { CallArguments } from "./call-arguments.ts";
import type { StoredMessage } from "./changes.ts";
import type { FormattedText } from "./html-text.ts";
import { botUser, chatOf, personUser } from "./state.ts";
import type { Bot, Chat, Person, TelegramState } from "./state.ts";
import type { WireEntity, WireMedia, WireMessage } from "./wire.ts";

/** A message about to be added to a chat. */
export interface NewMessage {
  author: "person" | "bot";
  /** Which person it is, where that is not the one that the chat is with. */
  speaker?: Person | undefined;
  /** The text, or the caption when there is a file; null when there are no words. */
  formatted: FormattedText | null;
  media?: WireMedia | undefined;
  /** Of a forum: the topic it stands in, where that is not the general one. */
  topicId?: number | undefined;
  /** Anything else that it carries. */
  content?: Partial<WireMessage> | Record<string, unknown> | undefined;
  replyTo?: StoredMessage | null | undefined;
  replyMarkup?: WireMessage["reply_markup"] | undefined;
}

/** The chat a bot may write to now. Throws what the real server answers when it may not. */
export function writableChat(state: TelegramState, bot: Bot, callArguments: CallArguments): Chat {
  const chat = knownChat(state, bot, callArguments);
  if (chat.blocked) throw forbidden("bot was blocked by the user");
  return chat;
}

/** The chat named by `chat_id`, blocked or not. */
export function knownChat(state: TelegramState, bot: Bot, callArguments: CallArguments): Chat {
  const text = callArguments.text("chat_id").trim();
  if (text === "") throw badRequest("chat_id is empty");
  if (text.startsWith("@")) {
    const found = state.publicChat(bot.id, text.slice(1));
    if (found === null) throw badRequest("chat not found");
    return found;
  }
  const id = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  const businessId = callArguments.text("business_connection_id");
  if (businessId !== "") return businessChat(state, bot, { businessId, id });
  if (state.bots.has(id)) throw forbidden("bot can't send messages to bots");
  const chat = state.chat(bot.id, id);
  if (!chat) throw badRequest("chat not found");
  return chat;
}

function businessChat(
  state: TelegramState,
  bot: Bot,
  { businessId, id }: { businessId: string; id: number },
): Chat {
  if (state.businesses.get(businessId)?.bot !== bot)
    throw badRequest("business connection not found");
  const chat = state.businessChat(businessId, id);
  if (chat === null) throw badRequest("PEER_ID_INVALID");
  return chat;
}

/** Adds a message, numbers it within its chat, and tells listeners. */
export function addMessage(state: TelegramState, chat: Chat, added: NewMessage): StoredMessage {
  const wire: WireMessage = {
    message_id: chat.nextMessageId,
    ...writer(chat, added),
    chat: chatOf(chat),
    date: unixSeconds(state),
    ...(chat.businessId === null ? {} : { business_connection_id: chat.businessId }),
    ...(added.author === "bot" && chat.businessId !== null
      ? { sender_business_bot: botUser(chat.bot) }
      : {}),
    ...(added.replyTo ? { reply_to_message: withoutReply(added.replyTo.wire) } : {}),
    ...(added.topicId === undefined
      ? {}
      : { message_thread_id: added.topicId, is_topic_message: true }),
    ...added.media,
    ...added.content,
    ...(added.formatted === null ? {} : words(added.formatted, added.media !== undefined)),
    ...(added.replyMarkup ? { reply_markup: added.replyMarkup } : {}),
  };
  const message: StoredMessage = { author: added.author, wire };
  chat.nextMessageId += 1;
  chat.messages.set(wire.message_id, message);
  state.changes.emit({ type: "message", botId: chat.bot.id, personId: chat.person.id, message });
  return message;
}

/** A channel's messages are written by the channel, whoever posted them. */
function writer(
  chat: Chat,
  { author, speaker }: NewMessage,
): Pick<WireMessage, "from" | "sender_chat"> {
  if (chat.kind === "channel") return { sender_chat: chatOf(chat) };
  return { from: author === "bot" ? botUser(chat.bot) : personUser(speaker ?? chat.person) };
}

/** The topic that a call names; undefined for none. Throws when the chat has no such topic. */
export function topicOf(chat: Chat, callArguments: CallArguments): number | undefined {
  const topicId = callArguments.integer("message_thread_id", 0);
  if (topicId === 0) return undefined;
  if (chat.topics?.has(topicId) !== true) throw badRequest("message thread not found");
  return topicId;
}

/** Changes the text of a message in place, and tells listeners. */
export function changeMessage(
  state: TelegramState,
  chat: Chat,
  change: {
    message: StoredMessage;
    formatted: FormattedText;
    replyMarkup?: WireMessage["reply_markup"];
  },
): StoredMessage {
  const { message, formatted, replyMarkup } = change;
  const {
    entities: _entities,
    caption_entities: _captionEntities,
    reply_markup: _markup,
    ...kept
  } = message.wire;
  const wire: WireMessage = {
    ...kept,
    edit_date: unixSeconds(state),
    ...words(formatted, kept.text === undefined),
    ...(replyMarkup ? { reply_markup: replyMarkup } : {}),
  };
  const changed: StoredMessage = { ...message, wire };
  chat.messages.set(wire.message_id, changed);
  state.changes.emit({
    type: "edit",
    botId: chat.bot.id,
    personId: chat.person.id,
    message: changed,
  });
  return changed;
}

/** The bot's one reaction to a message becomes this, and listeners are told; null takes it back. */
export function setBotReaction(
  state: TelegramState,
  chat: Chat,
  { message, emoji }: { message: StoredMessage; emoji: string | null },
): void {
  message.botReaction = emoji;
  state.changes.emit({ type: "reaction", botId: chat.bot.id, personId: chat.person.id, message });
}

/** Takes a message out of the chat, and tells listeners. */
export function removeMessage(state: TelegramState, chat: Chat, message: StoredMessage): void {
  chat.messages.delete(message.wire.message_id);
  state.changes.emit({ type: "delete", botId: chat.bot.id, personId: chat.person.id, message });
}

/** The stand-in's time in Telegram's unit. */
export function unixSeconds(state: TelegramState): number {
  return Math.floor(state.clock.now() / 1000);
}

function words(
  { text, entities }: FormattedText,
  asCaption: boolean,
): {
  text?: string;
  entities?: WireEntity[];
  caption?: string;
  caption_entities?: WireEntity[];
} {
  if (asCaption && text === "") return {};
  const marked = entities.length > 0;
  return asCaption
    ? { caption: text, ...(marked ? { caption_entities: entities } : {}) }
    : { text, ...(marked ? { entities } : {}) };
}

/** Telegram shows one level of replies only. */
function withoutReply({ reply_to_message: _reply, ...message }: WireMessage): WireMessage {
  return message;
}
