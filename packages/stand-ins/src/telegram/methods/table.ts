// Every Bot API method this stand-in speaks, by its name in lower case.
import { ApiError, tooManyRequests } from "../api-error.ts";
import { knownChat } from "../chats.ts";
import { FILE_KINDS } from "../files.ts";
import { botUser, chatOf } from "../state.ts";
import { getFile, sendFile } from "./files.ts";
import { sendMediaGroup } from "./media-group.ts";
import {
  answerCallbackQuery,
  deleteBusinessMessages,
  deleteMessage,
  editMessageCaption,
  editMessageText,
  sendChatAction,
  sendMessage,
} from "./messages.ts";
import type { Method } from "./method.ts";
import { setMessageReaction } from "./reactions.ts";
import { sendContact, sendLocation, sendVenue } from "./places.ts";

/** A bot that starts must run this long before `close` is allowed. */
const CLOSABLE_AFTER_MS = 600_000;

const getMe: Method = ({ bot }) => ({
  result: {
    ...botUser(bot),
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: true,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  },
});

const getUpdates: Method = async ({ bot, callArguments, signal }) => {
  if (bot.webhook.active) {
    await bot.poller.refuse(
      "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  const updates = await bot.poller.poll(callArguments, signal);
  return { json: `[${updates.map((update) => update.json).join(",")}]` };
};

const getChat: Method = ({ state, bot, callArguments }) => {
  const chat = knownChat(state, bot, callArguments);
  return { result: { ...chatOf(chat), accent_color_id: 0, max_reaction_count: 11 } };
};

const logOut: Method = ({ bot }) => {
  bot.webhook.close();
  bot.queue.clear();
  bot.poller.fail(new ApiError(400, "Logged out"));
  return { result: true };
};

const close: Method = ({ state, bot }) => {
  const waitMs = bot.addedAt + CLOSABLE_AFTER_MS - state.clock.now();
  if (waitMs > 0) throw tooManyRequests(Math.ceil(waitMs / 1000));
  return { result: true };
};

/** The method table; a name that is not here is answered 404 `method not found`. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["getme", getMe],
  ["getupdates", getUpdates],
  ["setwebhook", ({ bot, callArguments }) => bot.webhook.set(callArguments)],
  ["deletewebhook", ({ bot, callArguments }) => bot.webhook.remove(callArguments)],
  ["getwebhookinfo", ({ bot }) => ({ result: bot.webhook.info() })],
  ["sendmessage", sendMessage],
  ...FILE_KINDS.map((kind): [string, Method] => [`send${kind.replace("_", "")}`, sendFile(kind)]),
  ["sendmediagroup", sendMediaGroup],
  ["sendlocation", sendLocation],
  ["sendvenue", sendVenue],
  ["sendcontact", sendContact],
  ["editmessagetext", editMessageText],
  ["editmessagecaption", editMessageCaption],
  ["deletemessage", deleteMessage],
  ["deletebusinessmessages", deleteBusinessMessages],
  ["setmessagereaction", setMessageReaction],
  ["sendchataction", sendChatAction],
  ["answercallbackquery", answerCallbackQuery],
  ["getchat", getChat],
  ["getfile", getFile],
  ["logout", logOut],
  ["close", close],
]);
