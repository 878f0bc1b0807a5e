// setMessageReaction: the bot's one reaction to a message of either side.
import { badRequest } from "../api-error.ts";
import { knownChat, setBotReaction } from "../chats.ts";
import type { Method } from "./method.ts";

/** What everybody may react with, as Telegram writes it: without the sign that asks for colour. */
const AVAILABLE: ReadonlySet<string> = new Set(
  (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u{200d}🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 " +
    "😈 😴 😭 🤓 👻 👨\u{200d}💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷\u{200d}♂ 🤷 🤷\u{200d}♀ 😡"
  ).split(" "),
);

export const setMessageReaction: Method = ({ state, bot, callArguments }) => {
  const emoji = readReaction(callArguments.json("reaction"));
  const chat = knownChat(state, bot, callArguments);
  const message = chat.messages.get(callArguments.integer("message_id", 0));
  if (!message) throw badRequest("message to react not found");
  if (emoji !== null && !AVAILABLE.has(emoji)) throw badRequest("REACTION_INVALID");
  setBotReaction(state, chat, { message, emoji });
  return { result: true };
};

/** None takes the reaction back. Bots set one at most, and no paid ones. */
function readReaction(wanted: unknown): string | null {
  if (wanted === undefined) return null;
  if (!Array.isArray(wanted)) throw badRequest("can't parse reaction types JSON object");
  if (wanted.length > 1) throw badRequest("REACTIONS_TOO_MANY");
  const first: unknown = wanted[0];
  if (first === undefined) return null;
  const { type, emoji }: Partial<Record<string, unknown>> =
    typeof first === "object" ? { ...first } : {};
  if (type !== "emoji" || typeof emoji !== "string") throw badRequest("REACTION_INVALID");
  return emoji;
}
