// Changes a message that was sent (new words for it, or none of it left), or reacts to one. Doing it twice is doing it once.
import type { KnownMessage } from "@thikaa/connector-kit";
import { captionLengthOf, maxTextLength } from "../capabilities.ts";
import { readMessageId } from "../ids.ts";
import type { ChatAddress } from "../ids.ts";
import type { TelegramClient } from "../platform/client.ts";
import { isGone, isUnchanged, TelegramCallError } from "../platform/errors.ts";
import { keyboardOf } from "./frame.ts";
import { isChange, partPayload } from "./plan.ts";
import type { ButtonPayload, ChangePayload, MessagePayload } from "./plan.ts";
import { splitText } from "@thikaa/connector-kit";
import type { ReactionTypeEmoji } from "grammy/types";

type ReactionEmoji = ReactionTypeEmoji["emoji"];

/** Why a message can't be changed, though Telegram was not asked. */
export class ChangeRefusal extends Error {
  readonly code: "nothing_to_change" | "not_sent_yet" | "edit_too_long" | "reaction_not_available";

  constructor(code: ChangeRefusal["code"], message: string) {
    super(message);
    this.name = "ChangeRefusal";
    this.code = code;
  }
}

interface SentPart {
  readonly payload: MessagePayload;
  readonly messageId: number;
}

/** A message, and the chat it is in. */
interface Sent {
  readonly client: TelegramClient;
  readonly chat: ChatAddress;
  readonly parts: readonly SentPart[];
}

/** Throws `ChangeRefusal` and `TelegramCallError`. */
export async function changeSent(
  {
    client,
    chat,
    known,
  }: { client: TelegramClient; chat: ChatAddress; known: KnownMessage | null },
  change: ChangePayload,
): Promise<void> {
  if (known?.pending)
    throw new ChangeRefusal("not_sent_yet", "The message that this one changes is not sent yet.");
  if (change.method === "react") return react({ client, chat, known }, change.emoji);
  const parts = (known?.parts ?? []).flatMap(toSentPart);
  if (parts.length === 0)
    throw new ChangeRefusal("nothing_to_change", "Nothing was sent of the message to change.");
  const sent = { client, chat, parts };
  await (change.method === "edit" ? edit(sent, change.text) : remove(sent, parts));
}

function toSentPart({ payload, providerMessageId }: KnownMessage["parts"][number]): SentPart[] {
  const parsed = partPayload.safeParse(payload);
  const messageId = readMessageId(providerMessageId);
  if (!parsed.success || messageId === null) return [];
  const { data } = parsed;
  return isChange(data) ? [] : [{ payload: data, messageId }];
}

/** The first part stands for the message, as in answers. Of a customer's message it is the message itself. */
async function react(
  {
    client,
    chat,
    known,
  }: { client: TelegramClient; chat: ChatAddress; known: KnownMessage | null },
  emoji: string | null,
): Promise<void> {
  if (chat.businessId !== null)
    throw new ChangeRefusal(
      "reaction_not_available",
      "Telegram lets no bot react in the chats of a business account.",
    );
  const messageId = readMessageId(known?.parts[0]?.providerMessageId ?? "");
  if (messageId === null)
    throw new ChangeRefusal("nothing_to_change", "There is no message on Telegram to react to.");
  await client.call({
    method: "setMessageReaction",
    chat_id: chat.chatId,
    message_id: messageId,
    reaction: emoji === null ? [] : [{ type: "emoji", emoji: toReaction(emoji) }],
  });
}

/** Telegram writes its emoji without the sign that asks for colour, and takes no other form. Which it takes, it decides. */
function toReaction(emoji: string): ReactionEmoji {
  return emoji.replaceAll("\u{fe0f}", "") as ReactionEmoji;
}

/** The words stand in the file's caption or in texts of their own, never in both. Texts that are no longer needed go. */
async function edit(sent: Sent, text: string): Promise<void> {
  const texts = sent.parts.filter(({ payload }) => payload.method === "sendMessage");
  const [first] = sent.parts;
  if (texts.length === 0) return editCaption(sent, first, text);
  const pieces = splitText(text, maxTextLength);
  if (pieces.length > texts.length)
    throw new ChangeRefusal(
      "edit_too_long",
      `The new text needs ${pieces.length} Telegram messages, the one that was sent took ${texts.length}. Send a new message instead.`,
    );
  const buttons = texts.at(-1)?.payload.buttons;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    const messageId = texts[index]?.messageId;
    if (messageId !== undefined)
      await editWords(sent, { messageId, text: piece, buttons: isLast ? buttons : undefined });
  }
  if (texts.length > pieces.length) await remove(sent, texts.slice(pieces.length));
}

async function editCaption(sent: Sent, part: SentPart | undefined, text: string): Promise<void> {
  const most = part?.payload.method === "sendMedia" ? captionLengthOf(part.payload.kind) : 0;
  if (part === undefined || most === 0)
    throw new ChangeRefusal("nothing_to_change", "The message has no words to edit.");
  if (text.length > most)
    throw new ChangeRefusal(
      "edit_too_long",
      `A file's caption has at most ${most} characters on Telegram.`,
    );
  const { messageId, payload } = part;
  await unless(
    isUnchanged,
    sent.client.call({
      method: "editMessageCaption",
      ...placeOf(sent.chat, messageId),
      caption: text,
      ...keyboardOf(payload.buttons),
    }),
  );
}

async function editWords(
  { client, chat }: Sent,
  words: { messageId: number; text: string; buttons: readonly ButtonPayload[] | undefined },
): Promise<void> {
  const { messageId, text, buttons } = words;
  await unless(
    isUnchanged,
    client.call({
      method: "editMessageText",
      ...placeOf(chat, messageId),
      text,
      ...keyboardOf(buttons),
    }),
  );
}

async function remove({ client, chat }: Sent, parts: readonly SentPart[]): Promise<void> {
  const ids = parts.map(({ messageId }) => messageId);
  const { businessId } = chat;
  if (businessId !== null)
    return unless(
      isGone,
      client.call({
        method: "deleteBusinessMessages",
        business_connection_id: businessId,
        message_ids: ids,
      }),
    );
  for (const messageId of ids)
    await unless(
      isGone,
      client.call({ method: "deleteMessage", chat_id: chat.chatId, message_id: messageId }),
    );
}

function placeOf({ chatId, businessId }: ChatAddress, messageId: number) {
  return {
    chat_id: chatId,
    message_id: messageId,
    ...(businessId === null ? {} : { business_connection_id: businessId }),
  };
}

/** Makes a call; that it was made before, and so has nothing left to do, is as good as done. */
async function unless(
  isDone: (error: TelegramCallError) => boolean,
  calling: Promise<unknown>,
): Promise<void> {
  try {
    await calling;
  } catch (error) {
    if (!(error instanceof TelegramCallError) || !isDone(error)) throw error;
  }
}
