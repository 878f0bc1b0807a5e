// The parts of Telegram's wire format that this stand-in speaks.

/** A `User` object: a person or a bot. */
export interface WireUser {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
}

/** A `Chat` object: of a person, a group, or a channel. */
export interface WireChat {
  id: number;
  type: "private" | "supergroup" | "channel";
  /** Its messages stand in topics. */
  is_forum?: true;
  title?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
}

/** A `MessageEntity`; offset and length are UTF-16 units. */
export interface WireEntity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
  custom_emoji_id?: string;
}

/** One button of an inline keyboard. */
export interface WireButton {
  text: string;
  callback_data?: string;
  url?: string;
}

/** A file in a message, with what its kind tells besides. */
export interface WireFile {
  file_id: string;
  file_unique_id: string;
  file_size: number;
  file_name?: string;
  mime_type?: string;
  [detail: string]: unknown;
}

/** The one file a message may carry. */
export interface WireMedia {
  photo?: WireFile[];
  document?: WireFile;
  video?: WireFile;
  audio?: WireFile;
  voice?: WireFile;
  sticker?: WireFile;
  /** Comes with `document`, which is the same file. */
  animation?: WireFile;
  video_note?: WireFile;
}

/** A `Location` object. */
export interface WireLocation {
  latitude: number;
  longitude: number;
}

/** A `Contact` object. */
export interface WireContact {
  phone_number: string;
  first_name: string;
  last_name?: string;
  user_id?: number;
  vcard?: string;
}

/** A `Message`; `date` is Unix seconds. */
export interface WireMessage extends WireMedia {
  message_id: number;
  /** Nobody, in a channel. */
  from?: WireUser;
  /** The channel itself. */
  sender_chat?: WireChat;
  chat: WireChat;
  message_thread_id?: number;
  is_topic_message?: true;
  date: number;
  edit_date?: number;
  text?: string;
  entities?: WireEntity[];
  caption?: string;
  caption_entities?: WireEntity[];
  location?: WireLocation;
  venue?: { location: WireLocation; title: string; address: string };
  contact?: WireContact;
  media_group_id?: string;
  business_connection_id?: string;
  sender_business_bot?: WireUser;
  reply_to_message?: WireMessage;
  reply_markup?: { inline_keyboard: WireButton[][] };
}

/** The kinds of update this stand-in can send. */
export type UpdateKind =
  | "message"
  | "edited_message"
  | "channel_post"
  | "edited_channel_post"
  | "callback_query"
  | "my_chat_member"
  | "message_reaction"
  | "business_connection"
  | "business_message"
  | "edited_business_message"
  | "deleted_business_messages";

/** Every kind Telegram knows, for reading `allowed_updates`. */
export const ALL_UPDATE_KINDS: readonly string[] = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "business_connection",
  "business_message",
  "edited_business_message",
  "deleted_business_messages",
  "message_reaction",
  "message_reaction_count",
  "inline_query",
  "chosen_inline_result",
  "callback_query",
  "shipping_query",
  "pre_checkout_query",
  "purchased_paid_media",
  "poll",
  "poll_answer",
  "my_chat_member",
  "chat_member",
  "chat_join_request",
  "chat_boost",
  "removed_chat_boost",
];

/** The kinds that are only sent when asked for by name. */
export const OPT_IN_UPDATE_KINDS: readonly string[] = [
  "chat_member",
  "message_reaction",
  "message_reaction_count",
];
