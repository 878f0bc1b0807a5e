// What people do: write, edit, press buttons, block and unblock.
import { addMessage, changeMessage, unixSeconds } from "./chats.ts";
import type { StoredMessage } from "./changes.ts";
import { typeOfName, wireMedia } from "./file-kinds.ts";
import type { FileKind } from "./files.ts";
import { markPlainText } from "./message-text.ts";
import { notePress, PRESS_LIFETIME_MS } from "./presses.ts";
import { botUser, personUser, privateChat } from "./state.ts";
import type { Chat, TelegramState } from "./state.ts";
import type { UpdateKind } from "./wire.ts";

const DAY_MS = 86_400_000;

/** What a person writes. `replyTo` is a message id of the same chat. */
export interface PersonMessage {
  personId: number;
  botId: number;
  text: string;
  replyTo?: number | undefined;
}

/** What became of an action: the update's id is null when the bot did not ask for its kind. */
export interface PersonActionResult {
  messageId: number;
  updateId: number | null;
}

/** The person writes to the bot. It opens the chat, and unblocks the bot, as pressing Start does. */
export function personSays(state: TelegramState, said: PersonMessage): PersonActionResult {
  if (said.text.trim() === "") throw new Error("A person cannot send an empty message.");
  const chat = openedChat(state, said);
  const replyTo = said.replyTo === undefined ? null : messageIn(chat, said.replyTo);
  const message = addMessage(state, chat, {
    author: "person",
    formatted: markPlainText(said.text),
    replyTo,
  });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "message", message }),
  };
}

/** A file that a person sends, with a caption or without. */
export interface PersonFile extends Omit<PersonMessage, "text"> {
  kind: FileKind;
  bytes: Uint8Array;
  /** As the person's phone calls it; photos, voices and stickers have none. */
  name?: string | undefined;
  mime?: string | undefined;
  caption?: string | undefined;
}

/** The person sends a file. It opens the chat, and unblocks the bot, as writing does. */
export function personSendsFile(
  state: TelegramState,
  sent: PersonFile,
): PersonActionResult & { fileId: string } {
  const chat = openedChat(state, sent);
  const named = sent.kind === "document" || sent.kind === "video" || sent.kind === "audio";
  const file = state.files.add(chat.bot.id, {
    kind: sent.kind,
    bytes: Buffer.from(sent.bytes),
    name: named ? (sent.name ?? null) : null,
    mime: sent.mime ?? (named ? typeOfName(sent.name ?? null) : null),
  });
  const message = addMessage(state, chat, {
    author: "person",
    formatted: markPlainText(sent.caption ?? ""),
    media: wireMedia(state.files, chat.bot.id, file),
    replyTo: sent.replyTo === undefined ? null : messageIn(chat, sent.replyTo),
  });
  return {
    messageId: message.wire.message_id,
    updateId: pushMessage(state, chat, { kind: "message", message }),
    fileId: file.fileId,
  };
}

/** The person changes the text of a message of theirs. */
export function personEdits(
  state: TelegramState,
  edit: PersonMessage & { messageId: number },
): PersonActionResult {
  const chat = state.openChat(edit.botId, edit.personId);
  const message = messageIn(chat, edit.messageId);
  if (message.author !== "person") throw new Error("A person can edit only their own messages.");
  const changed = changeMessage(state, chat, { message, formatted: markPlainText(edit.text) });
  return {
    messageId: edit.messageId,
    updateId: pushMessage(state, chat, { kind: "edited_message", message: changed }),
  };
}

/** The person presses an inline button; the bot gets a callback query. */
export function personPresses(
  state: TelegramState,
  press: { personId: number; botId: number; messageId: number; data: string },
): string {
  const chat = state.openChat(press.botId, press.personId);
  const message = messageIn(chat, press.messageId);
  const buttons = message.wire.reply_markup?.inline_keyboard.flat() ?? [];
  if (!buttons.some((button) => button.callback_data === press.data))
    throw new Error("The message has no such button.");
  const id = notePress(state, chat.bot);
  const body = {
    id,
    from: personUser(chat.person),
    message: message.wire,
    chat_instance: `-${chat.person.id}`,
    data: press.data,
  };
  state.pushUpdate(chat.bot, {
    kind: "callback_query",
    body,
    lane: `press/${chat.person.id}`,
    lifetimeMs: PRESS_LIFETIME_MS,
  });
  return id;
}

/** The person presses Start without writing: the bot may write to them. Telegram sends "/start" for it. */
export function personStarts(
  state: TelegramState,
  who: { personId: number; botId: number; payload?: string | undefined },
): PersonActionResult {
  return personSays(state, {
    personId: who.personId,
    botId: who.botId,
    text: who.payload ? `/start ${who.payload}` : "/start",
  });
}

/** The person blocks or unblocks the bot; the bot is told by `my_chat_member`. Nothing happens when it is so already. */
export function personBlocks(
  state: TelegramState,
  who: { personId: number; botId: number },
  blocked: boolean,
): void {
  const chat = state.openChat(who.botId, who.personId);
  if (chat.blocked !== blocked) setBlocked(state, chat, blocked);
}

function setBlocked(state: TelegramState, chat: Chat, blocked: boolean): void {
  chat.blocked = blocked;
  const member = { user: botUser(chat.bot), status: "member" };
  const kicked = { user: botUser(chat.bot), status: "kicked", until_date: 0 };
  const body = {
    chat: privateChat(chat.person),
    from: personUser(chat.person),
    date: unixSeconds(state),
    old_chat_member: blocked ? member : kicked,
    new_chat_member: blocked ? kicked : member,
  };
  state.pushUpdate(chat.bot, {
    kind: "my_chat_member",
    body,
    lane: `member/${chat.person.id}`,
    lifetimeMs: DAY_MS,
  });
  state.changes.emit({ type: "block", botId: chat.bot.id, personId: chat.person.id, blocked });
}

/** The chat in which a person says something: opened, and the bot unblocked, by doing so. */
export function openedChat(
  state: TelegramState,
  { botId, personId }: { botId: number; personId: number },
): Chat {
  const chat = state.openChat(botId, personId);
  if (chat.blocked) setBlocked(state, chat, false);
  return chat;
}

/** Tells the bot of a message, in order with the others of its chat. Gives the update's id. */
export function pushMessage(
  state: TelegramState,
  chat: Chat,
  update: { kind: UpdateKind; message: StoredMessage },
): number | null {
  const lane =
    chat.businessId === null
      ? `chat/${chat.person.id}`
      : `business/${chat.businessId}/${chat.person.id}`;
  return state.pushUpdate(chat.bot, {
    kind: update.kind,
    body: update.message.wire,
    lane,
    lifetimeMs: DAY_MS,
  });
}

/** A message of a chat. Throws when there is none of this number. */
export function messageIn(chat: Chat, messageId: number): StoredMessage {
  const message = chat.messages.get(messageId);
  if (!message) throw new Error(`There is no message ${messageId} in this chat.`);
  return message;
}
