// Chats that are not a person's with the bot: groups, forums, channels, and the chats of a business account that a bot answers for.
import { randomBytes } from "node:crypto";
import { addMessage, changeMessage, unixSeconds } from "./chats.ts";
import { markPlainText } from "./message-text.ts";
import { messageIn, pushMessage } from "./people-actions.ts";
import type { PersonActionResult } from "./people-actions.ts";
import { chatOf, personUser } from "./state.ts";
import type { Chat, NewPlace, TelegramState } from "./state.ts";

const DAY_MS = 86_400_000;

/** What is said in a group. */
export interface GroupMessage {
  groupId: number;
  botId: number;
  personId: number;
  text: string;
  /** Of a forum: the topic; the general one when there is none. */
  topicId?: number | undefined;
}

/** What a channel says, whoever of its people posted it. */
export interface ChannelPost {
  channelId: number;
  botId: number;
  text: string;
}

/** What is said in a chat of a business account: by the customer, or by the account's owner. */
export interface BusinessMessage {
  businessId: string;
  personId: number;
  text: string;
  byOwner?: boolean | undefined;
}

/** Adds the bot to a new group or channel; gives its id. The bot is told. */
export function addPlace(
  state: TelegramState,
  { botId, personId, ...place }: NewPlace & { botId: number; personId: number },
): number {
  const chat = state.openPlace(botId, place);
  const bot = { id: chat.bot.id, is_bot: true, first_name: chat.bot.name };
  const status = place.kind === "channel" ? "administrator" : "member";
  state.pushUpdate(chat.bot, {
    kind: "my_chat_member",
    body: {
      chat: chatOf(chat),
      from: personUser(state.person(personId)),
      date: unixSeconds(state),
      old_chat_member: { user: bot, status: "left" },
      new_chat_member: { user: bot, status },
    },
    lane: `member/${chat.person.id}`,
    lifetimeMs: DAY_MS,
  });
  return chat.person.id;
}

/** Opens a topic in a forum; gives its id. The bot is told by a message of nobody's words. */
export function opensTopic(
  state: TelegramState,
  topic: { groupId: number; botId: number; personId: number; name: string },
): number {
  const chat = placeOf(state, topic.botId, topic.groupId);
  if (chat.topics === null) throw new Error(`The group ${topic.groupId} is no forum.`);
  const topicId = chat.nextMessageId;
  chat.topics.set(topicId, topic.name);
  const message = addMessage(state, chat, {
    author: "person",
    speaker: state.person(topic.personId),
    formatted: null,
    topicId,
    content: { forum_topic_created: { name: topic.name, icon_color: 7_322_096 } },
  });
  pushMessage(state, chat, { kind: "message", message });
  return topicId;
}

export function postsInChannel(state: TelegramState, post: ChannelPost): PersonActionResult {
  const chat = placeOf(state, post.botId, post.channelId);
  const formatted = markPlainText(post.text);
  const message = addMessage(state, chat, { author: "person", formatted });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "channel_post", message }),
  };
}

export function editsInChannel(
  state: TelegramState,
  edit: ChannelPost & { messageId: number },
): PersonActionResult {
  const chat = placeOf(state, edit.botId, edit.channelId);
  const message = changeMessage(state, chat, {
    message: messageIn(chat, edit.messageId),
    formatted: markPlainText(edit.text),
  });
  return {
    messageId: edit.messageId,
    updateId: pushMessage(state, chat, { kind: "edited_channel_post", message }),
  };
}

function placeOf(state: TelegramState, botId: number, id: number): Chat {
  const chat = state.chat(botId, id);
  if (chat === null) throw new Error(`There is no group or channel ${id}.`);
  return chat;
}

export function saysInGroup(state: TelegramState, said: GroupMessage): PersonActionResult {
  const chat = placeOf(state, said.botId, said.groupId);
  const { topicId } = said;
  if (topicId !== undefined && chat.topics?.has(topicId) !== true)
    throw new Error(`There is no topic ${topicId} in the group.`);
  const message = addMessage(state, chat, {
    author: "person",
    speaker: state.person(said.personId),
    formatted: markPlainText(said.text),
    topicId,
  });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "message", message }),
  };
}

/** A business account lets the bot answer for it; gives the connection's id. The bot is told. */
export function connectBusiness(
  state: TelegramState,
  { botId, ownerId }: { botId: number; ownerId: number },
): string {
  const bot = state.bot(botId);
  const id = `bc_${randomBytes(9).toString("base64url")}`;
  const owner = state.person(ownerId);
  state.businesses.set(id, { bot, owner });
  const body = {
    id,
    user: personUser(owner),
    user_chat_id: ownerId,
    date: unixSeconds(state),
    rights: { can_reply: true, can_read_messages: true },
    is_enabled: true,
  };
  const lane = `business/${id}`;
  state.pushUpdate(bot, { kind: "business_connection", body, lane, lifetimeMs: DAY_MS });
  return id;
}

export function saysToBusiness(state: TelegramState, said: BusinessMessage): PersonActionResult {
  const chat = state.openBusinessChat(said.businessId, said.personId);
  const owner = state.businesses.get(said.businessId)?.owner;
  const message = addMessage(state, chat, {
    author: "person",
    ...(said.byOwner && owner !== undefined ? { speaker: owner } : {}),
    formatted: markPlainText(said.text),
  });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "business_message", message }),
  };
}

export function editsInBusiness(
  state: TelegramState,
  edit: Omit<BusinessMessage, "byOwner"> & { messageId: number },
): PersonActionResult {
  const chat = state.openBusinessChat(edit.businessId, edit.personId);
  const message = changeMessage(state, chat, {
    message: messageIn(chat, edit.messageId),
    formatted: markPlainText(edit.text),
  });
  return {
    messageId: edit.messageId,
    updateId: pushMessage(state, chat, { kind: "edited_business_message", message }),
  };
}

/** Takes messages back; the bot is told of all of them in one update. */
export function deletesInBusiness(
  state: TelegramState,
  deletion: { businessId: string; personId: number; messageIds: readonly number[] },
): number | null {
  const chat = state.openBusinessChat(deletion.businessId, deletion.personId);
  for (const id of deletion.messageIds) chat.messages.delete(messageIn(chat, id).wire.message_id);
  const body = {
    business_connection_id: deletion.businessId,
    chat: chatOf(chat),
    message_ids: deletion.messageIds,
  };
  return state.pushUpdate(chat.bot, {
    kind: "deleted_business_messages",
    body,
    lane: laneOf(chat),
    lifetimeMs: DAY_MS,
  });
}

function laneOf(chat: Chat): string {
  return `business/${chat.businessId}/${chat.person.id}`;
}
