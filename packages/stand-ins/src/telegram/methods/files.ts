// The methods that send files, and getFile.
import { badRequest } from "../api-error.ts";
import { addMessage, topicOf, writableChat } from "../chats.ts";
import { checkUpload, typeOfName, wireMedia } from "../file-kinds.ts";
import type { FileKind, StoredFile } from "../files.ts";
import { readCaption } from "../message-text.ts";
import { findReplied } from "./messages.ts";
import type { Method, MethodCall } from "./method.ts";
import { readInlineKeyboard } from "./reply-markup.ts";

/** sendPhoto, sendDocument and the like: by a file id, by a URL, or uploaded. */
export function sendFile(kind: FileKind): Method {
  return async (call) => {
    const { state, bot, callArguments } = call;
    const formatted = readCaption(callArguments, kind !== "sticker" && kind !== "video_note");
    const replyMarkup = readInlineKeyboard(callArguments);
    const chat = writableChat(state, bot, callArguments);
    const replyTo = findReplied(chat, callArguments);
    const topicId = topicOf(chat, callArguments);
    const file = await readFile(call, kind, callArguments.text(kind).trim());
    const media = wireMedia(state.files, bot.id, file);
    const added = { author: "bot", formatted, media, replyTo, replyMarkup, topicId } as const;
    return { result: addMessage(state, chat, added).wire };
  };
}

export const getFile: Method = ({ state, bot, callArguments }) => ({
  result: state.files.describe(bot.id, callArguments.text("file_id")),
});

/** The file that a call gives by an id, a URL, or an upload. */
export async function readFile(
  { state, bot, callArguments }: MethodCall,
  kind: FileKind,
  given: string,
): Promise<StoredFile> {
  const uploaded =
    callArguments.files.get(given.replace(/^attach:\/\//, "")) ?? callArguments.files.get(kind);
  if (uploaded !== undefined) {
    const name = uploaded.fileName;
    const file = { kind, bytes: uploaded.data, name, mime: typeOfName(name) };
    checkUpload(file);
    return state.files.add(bot.id, file);
  }
  if (given === "") throw badRequest(`there is no ${kind} in the request`);
  if (/^https?:\/\//i.test(given) && URL.canParse(given))
    return state.files.add(bot.id, await state.fetcher.fetch(kind, given));
  const known = state.files.ofBot(bot.id, given);
  if (known === null) throw badRequest("wrong file identifier/HTTP URL specified");
  if (known.kind !== kind)
    throw badRequest(`can't use file of type ${title(known.kind)} as ${title(kind)}`);
  return known;
}

function title(kind: FileKind): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}
