// What a Telegram message is: "text", or Telegram's own word for anything else.
import type { TelegramMessage } from "../platform/types.ts";

/** In the order in which they are looked for: some messages carry two of them, the more telling one stands first. */
const kinds = [
  "animation",
  "photo",
  "video_note",
  "video",
  "voice",
  "audio",
  "sticker",
  "document",
  "venue",
  "location",
  "contact",
  "poll",
  "dice",
  "game",
  "story",
  "invoice",
  "successful_payment",
  "checklist",
  "gift",
  "paid_media",
  "giveaway",
  "users_shared",
  "chat_shared",
  "web_app_data",
] as const;

/** What happened in a chat, told in the form of a message: nobody said it. */
const services: readonly string[] = [
  "new_chat_members",
  "left_chat_member",
  "migrate_to_chat_id",
  "migrate_from_chat_id",
  "pinned_message",
  "group_chat_created",
  "supergroup_chat_created",
  "channel_chat_created",
  "new_chat_title",
  "new_chat_photo",
  "delete_chat_photo",
  "message_auto_delete_timer_changed",
  "forum_topic_created",
  "forum_topic_edited",
  "forum_topic_closed",
  "forum_topic_reopened",
  "general_forum_topic_hidden",
  "general_forum_topic_unhidden",
  "video_chat_scheduled",
  "video_chat_started",
  "video_chat_ended",
  "video_chat_participants_invited",
  "boost_added",
  "chat_background_set",
  "write_access_allowed",
  "connected_website",
];

/** What every message may carry beside its content. */
const envelope = new Set([
  "message_id",
  "message_thread_id",
  "from",
  "sender_chat",
  "chat",
  "date",
  "edit_date",
  "business_connection_id",
  "sender_business_bot",
  "forward_origin",
  "is_topic_message",
  "is_automatic_forward",
  "reply_to_message",
  "external_reply",
  "quote",
  "via_bot",
  "has_protected_content",
  "is_from_offline",
  "media_group_id",
  "author_signature",
  "entities",
  "caption",
  "caption_entities",
  "link_preview_options",
  "effect_id",
  "reply_markup",
  "show_caption_above_media",
  "has_media_spoiler",
  "sender_boost_count",
  "paid_star_count",
  "sender_tag",
  // Stands beside the photo that it moves.
  "live_photo",
]);

/** The kind of a message's content. */
export function contentKindOf(message: TelegramMessage): string {
  if (message.text !== undefined) return "text";
  const present = Object.keys(message).filter((key) => message[key] !== undefined);
  return (
    kinds.find((kind) => present.includes(kind)) ??
    present.find((key) => !envelope.has(key)) ??
    "empty"
  );
}

/** Whether a kind tells what happened in the chat and not what somebody said. */
export function isService(contentKind: string): boolean {
  return services.includes(contentKind);
}
