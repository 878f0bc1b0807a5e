// sendMediaGroup: several files as one album.
import { randomInt } from "node:crypto";
import { badRequest } from "../api-error.ts";
import { argumentsOf } from "../call-arguments.ts";
import type { CallArguments } from "../call-arguments.ts";
import { addMessage, topicOf, writableChat } from "../chats.ts";
import { wireMedia } from "../file-kinds.ts";
import type { FileKind } from "../files.ts";
import { readCaption } from "../message-text.ts";
import { readFile } from "./files.ts";
import { findReplied } from "./messages.ts";
import type { Method } from "./method.ts";

const MOST_FILES = 10;
const ALBUM_KINDS: readonly string[] = ["photo", "video", "document", "audio"];

/** The answer is one message a file, all of one album. Nothing is sent when one of the files can't be. */
export const sendMediaGroup: Method = async (call) => {
  const { state, bot, callArguments } = call;
  const items = readItems(callArguments);
  const chat = writableChat(state, bot, callArguments);
  const replyTo = findReplied(chat, callArguments);
  const topicId = topicOf(chat, callArguments);
  const read = await Promise.all(
    items.map(async ({ kind, item }) => ({
      formatted: readCaption(item, true),
      file: await readFile(call, kind, item.text("media").trim()),
    })),
  );
  // The real server takes a single file too, and makes no album of it.
  const content = items.length === 1 ? {} : { media_group_id: String(randomInt(1e10, 1e11)) };
  return {
    result: read.map(({ formatted, file }) => {
      const media = wireMedia(state.files, bot.id, file);
      const added = { author: "bot", formatted, media, content, replyTo, topicId } as const;
      return addMessage(state, chat, added).wire;
    }),
  };
};

function readItems(callArguments: CallArguments): { kind: FileKind; item: CallArguments }[] {
  if (callArguments.text("media") === "") throw badRequest("there are no messages to send");
  const media = callArguments.json("media");
  if (media === undefined) throw badRequest("can't parse media JSON object");
  if (!Array.isArray(media)) throw badRequest("expected an Array of InputMedia");
  if (media.length === 0) throw badRequest("there are no messages to send");
  if (media.length > MOST_FILES) throw badRequest("too much messages to send as an album");
  const items = media.map(readItem);
  // Documents stand with documents only, audios with audios; photos and videos may be mixed.
  const [alone] = items.filter(({ kind }) => kind === "document" || kind === "audio");
  if (alone !== undefined && items.some(({ kind }) => kind !== alone.kind))
    throw badRequest(
      `${alone.kind === "audio" ? "Audio" : "Document"} can't be mixed with other media types`,
    );
  return items;
}

function readItem(value: unknown): { kind: FileKind; item: CallArguments } {
  if (typeof value !== "object" || value === null)
    throw badRequest("expected an InputMedia object");
  const item = argumentsOf({ ...value });
  const kind = item.text("type");
  if (!ALBUM_KINDS.includes(kind))
    throw badRequest(`type "${kind}" can't be used in sendMediaGroup`);
  return { kind: kind as FileKind, item };
}
