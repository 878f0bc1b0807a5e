// The methods that write: sendMessage, editMessageText, deleteMessage, sendChatAction, answerCallbackQuery.
import { badRequest } from "../api-error.ts";
import type { CallArguments } from "../call-arguments.ts";
import type { StoredMessage } from "../changes.ts";
import {
  addMessage,
  changeMessage,
  knownChat,
  removeMessage,
  topicOf,
  unixSeconds,
  writableChat,
} from "../chats.ts";
import { readCaption, readMessageText } from "../message-text.ts";
import type { Chat } from "../state.ts";
import { isAnswerable } from "../presses.ts";
import type { Method, MethodCall } from "./method.ts";
import { readInlineKeyboard } from "./reply-markup.ts";

const DELETABLE_SECONDS = 48 * 3600;
const CHAT_ACTIONS: readonly string[] = [
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_voice",
  "upload_voice",
  "upload_document",
  "choose_sticker",
  "find_location",
  "record_video_note",
  "upload_video_note",
  "record_audio",
  "upload_audio",
  "cancel",
];

export const sendMessage: Method = ({ state, bot, callArguments }) => {
  const formatted = readMessageText(callArguments);
  const replyMarkup = readInlineKeyboard(callArguments);
  const chat = writableChat(state, bot, callArguments);
  const replyTo = findReplied(chat, callArguments);
  const topicId = topicOf(chat, callArguments);
  const added = { author: "bot", formatted, replyTo, replyMarkup, topicId } as const;
  return { result: addMessage(state, chat, added).wire };
};

export const editMessageText: Method = ({ state, bot, callArguments }) => {
  const formatted = readMessageText(callArguments, "MESSAGE_TOO_LONG");
  const replyMarkup = readInlineKeyboard(callArguments);
  const { chat, message } = editable({ state, bot, callArguments });
  if (message.wire.text === undefined) throw badRequest("there is no text in the message to edit");
  const { text, entities = [], reply_markup: markup } = message.wire;
  refuseSame([text, entities, markup], [formatted.text, formatted.entities, replyMarkup]);
  return { result: changeMessage(state, chat, { message, formatted, replyMarkup }).wire };
};

export const editMessageCaption: Method = ({ state, bot, callArguments }) => {
  const formatted = readCaption(callArguments, true);
  const replyMarkup = readInlineKeyboard(callArguments);
  const { chat, message } = editable({ state, bot, callArguments });
  if (message.wire.text !== undefined)
    throw badRequest("there is no caption in the message to edit");
  const { caption = "", caption_entities: entities = [], reply_markup: markup } = message.wire;
  refuseSame([caption, entities, markup], [formatted.text, formatted.entities, replyMarkup]);
  return { result: changeMessage(state, chat, { message, formatted, replyMarkup }).wire };
};

/** The bot's own message that a call is to change. */
function editable({
  state,
  bot,
  callArguments,
}: Pick<MethodCall, "state" | "bot" | "callArguments">) {
  const chat = writableChat(state, bot, callArguments);
  const message = chat.messages.get(callArguments.integer("message_id", 0));
  if (!message) throw badRequest("message to edit not found");
  if (message.author !== "bot") throw badRequest("message can't be edited");
  return { chat, message };
}

function refuseSame(now: unknown[], wanted: unknown[]): void {
  if (JSON.stringify(now) !== JSON.stringify(wanted)) return;
  throw badRequest(
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
  );
}

export const deleteMessage: Method = ({ state, bot, callArguments }) => {
  const chat = knownChat(state, bot, callArguments);
  const message = chat.messages.get(callArguments.integer("message_id", 0));
  if (!message) throw badRequest("message to delete not found");
  if (unixSeconds(state) - message.wire.date > DELETABLE_SECONDS)
    throw badRequest("message can't be deleted");
  removeMessage(state, chat, message);
  return { result: true };
};

/** The call names no chat: messages of one account are numbered over all its chats on the real service. */
export const deleteBusinessMessages: Method = ({ state, bot, callArguments }) => {
  const businessId = callArguments.text("business_connection_id");
  if (state.businesses.get(businessId)?.bot !== bot)
    throw badRequest("business connection not found");
  const ids = callArguments.json("message_ids");
  if (!Array.isArray(ids) || ids.length === 0)
    throw badRequest("message identifiers are not specified");
  for (const chat of state.businessChats(businessId)) {
    for (const id of ids) {
      const message = chat.messages.get(Number(id));
      if (message !== undefined) removeMessage(state, chat, message);
    }
  }
  return { result: true };
};

export const sendChatAction: Method = ({ state, bot, callArguments }) => {
  const chat = writableChat(state, bot, callArguments);
  const action = callArguments.text("action").toLowerCase();
  if (!CHAT_ACTIONS.includes(action)) throw badRequest("wrong parameter action in request");
  state.changes.emit({ type: "typing", botId: bot.id, personId: chat.person.id, action });
  return { result: true };
};

export const answerCallbackQuery: Method = ({ state, bot, callArguments }) => {
  if (callArguments.text("text").length > 200) throw badRequest("MESSAGE_TOO_LONG");
  if (!isAnswerable(state, bot, callArguments.text("callback_query_id"))) {
    throw badRequest("query is too old and response timeout expired or query ID is invalid");
  }
  return { result: true };
};

/** The message that a call answers, or null. Throws when it is gone. */
export function findReplied(chat: Chat, callArguments: CallArguments): StoredMessage | null {
  const wanted = replyWanted(callArguments);
  if (wanted.messageId === 0) return null;
  const message = chat.messages.get(wanted.messageId);
  if (!message && !wanted.allowMissing) throw badRequest("message to be replied not found");
  return message ?? null;
}

function replyWanted(callArguments: CallArguments): { messageId: number; allowMissing: boolean } {
  const parameters = callArguments.json("reply_parameters");
  if (typeof parameters !== "object" || parameters === null) {
    // The form of the API before reply_parameters; the real server still takes it.
    return {
      messageId: callArguments.integer("reply_to_message_id", 0),
      allowMissing: callArguments.boolean("allow_sending_without_reply"),
    };
  }
  const { message_id: id, allow_sending_without_reply: allow }: Partial<Record<string, unknown>> = {
    ...parameters,
  };
  return { messageId: Number(id) || 0, allowMissing: allow === true };
}
