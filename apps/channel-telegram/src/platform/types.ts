// The parts of Telegram's updates that we read. Lenient: a field of an unforeseen form counts as absent, unknown fields pass.
import { z } from "zod";

const id = z.number().int();
const optionalText = z.string().optional().catch(undefined);

const place = z.looseObject({ latitude: z.number(), longitude: z.number() });

const chat = z.looseObject({
  id,
  type: optionalText,
  first_name: optionalText,
  last_name: optionalText,
  title: optionalText,
  username: optionalText,
});
const person = z.looseObject({
  id,
  is_bot: z.boolean().catch(false),
  first_name: optionalText,
  last_name: optionalText,
  username: optionalText,
  language_code: optionalText,
});

export const message = z.looseObject({
  message_id: id,
  chat,
  from: person.optional().catch(undefined),
  sender_chat: chat.optional().catch(undefined),
  date: id.optional().catch(undefined),
  edit_date: id.optional().catch(undefined),
  text: optionalText,
  caption: optionalText,
  business_connection_id: optionalText,
  sender_business_bot: z.unknown().optional(),
  media_group_id: optionalText,
  location: place.optional().catch(undefined),
  venue: z
    .looseObject({ location: place, title: optionalText, address: optionalText })
    .optional()
    .catch(undefined),
  contact: z
    .looseObject({ phone_number: z.string(), first_name: optionalText, last_name: optionalText })
    .optional()
    .catch(undefined),
  reply_to_message: z.looseObject({ message_id: id }).optional().catch(undefined),
  reply_markup: z
    .looseObject({
      inline_keyboard: z.array(
        z.array(z.looseObject({ text: optionalText, callback_data: optionalText })),
      ),
    })
    .optional()
    .catch(undefined),
});
export type TelegramMessage = z.infer<typeof message>;
export type TelegramChat = z.infer<typeof chat>;
export type TelegramPerson = z.infer<typeof person>;

export const callbackQuery = z.looseObject({
  id: z.string(),
  from: person,
  message: message.optional().catch(undefined),
  data: optionalText,
});
export type TelegramCallbackQuery = z.infer<typeof callbackQuery>;

/** A person changed their reactions to a message; Telegram tells all of them, old and new. */
export const messageReaction = z.looseObject({
  chat,
  message_id: id,
  user: person.optional().catch(undefined),
  date: id.optional().catch(undefined),
  new_reaction: z.array(z.looseObject({ type: optionalText, emoji: optionalText })).catch([]),
});

/** The business account's owner or a customer took messages back. */
export const deletedMessages = z.looseObject({
  business_connection_id: z.string(),
  chat,
  message_ids: z.array(id),
});

/** The bot's own membership in a chat changed; in a private chat that is a block, or its end. */
export const membership = z.looseObject({
  chat,
  from: person,
  new_chat_member: z.looseObject({ status: z.string() }),
});

/** Any update: its number, and one other key that names its kind. */
export const update = z.looseObject({ update_id: id });

/** A file of any kind. Its name and type are its sender's word. */
export const file = z.looseObject({
  file_id: z.string(),
  file_size: id.nonnegative().optional().catch(undefined),
  file_name: optionalText,
  mime_type: optionalText,
});
export type TelegramFile = z.infer<typeof file>;

/** One size of a photo. */
export const photoSize = file.extend({ width: id.catch(0), height: id.catch(0) });

/** What a method that sends a message answers. */
export const sentMessage = z.looseObject({ message_id: id });

/** What `getFile` answers. */
export const filePath = z.looseObject({ file_path: z.string() });

/** What `getMe` tells of a bot. */
export const bot = z.looseObject({ id, first_name: optionalText, username: optionalText });
export type TelegramBot = z.infer<typeof bot>;

/** The kinds of update we ask for. What is not named here Telegram never sends. */
export const wantedUpdates = [
  "message",
  "edited_message",
  "callback_query",
  "my_chat_member",
  "business_connection",
  "business_message",
  "edited_business_message",
  "deleted_business_messages",
  "message_reaction",
] as const;
