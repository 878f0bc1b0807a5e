// Chats that are not a person's with the bot: groups, and the chats of a business account that a bot answers for.
import { randomBytes } from "node:crypto";
import { addMessage, changeMessage, unixSeconds } from "./chats.ts";
import { markPlainText } from "./message-text.ts";
import { messageIn, pushMessage } from "./people-actions.ts";
import type { PersonActionResult } from "./people-actions.ts";
import { chatOf, personUser } from "./state.ts";
import type { Chat, TelegramState } from "./state.ts";

const DAY_MS = 86_400_000;

/** What is said in a group. */
export interface GroupMessage {
  groupId: number;
  botId: number;
  personId: number;
  text: string;
}

/** What is said in a chat of a business account: by the customer, or by the account's owner. */
export interface BusinessMessage {
  businessId: string;
  personId: number;
  text: string;
  byOwner?: boolean | undefined;
}

/** Adds the bot to a new group; gives the group's id. The bot is told. */
export function addGroup(
  state: TelegramState,
  { botId, title, personId }: { botId: number; title: string; personId: number },
): number {
  const chat = state.openGroup(botId, title);
  const bot = { id: chat.bot.id, is_bot: true, first_name: chat.bot.name };
  state.pushUpdate(chat.bot, {
    kind: "my_chat_member",
    body: {
      chat: chatOf(chat),
      from: personUser(state.person(personId)),
      date: unixSeconds(state),
      old_chat_member: { user: bot, status: "left" },
      new_chat_member: { user: bot, status: "member" },
    },
    lane: `member/${chat.person.id}`,
    lifetimeMs: DAY_MS,
  });
  return chat.person.id;
}

export function saysInGroup(state: TelegramState, said: GroupMessage): PersonActionResult {
  const chat = state.chat(said.botId, said.groupId);
  if (chat === null) throw new Error(`There is no group ${said.groupId}.`);
  const message = addMessage(state, chat, {
    author: "person",
    speaker: state.person(said.personId),
    formatted: markPlainText(said.text),
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
