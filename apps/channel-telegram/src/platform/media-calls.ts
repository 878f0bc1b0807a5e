// The calls that send files, by kind, and what their answers tell.
import type { MediaKind } from "@thikaa/schema";
import type { Api, InputFile } from "grammy";
import type { InlineKeyboardMarkup } from "grammy/types";
import { z } from "zod";
import { file } from "./types.ts";

/** What any message may carry beside its content. */
export interface MessageFrame {
  business_connection_id?: string;
  reply_parameters?: { message_id: number; allow_sending_without_reply: true };
  reply_markup?: InlineKeyboardMarkup;
}

/** Where a file goes, and what goes with it. */
export interface MediaCall {
  readonly chatId: string;
  readonly frame: MessageFrame;
  readonly kind: MediaKind;
  readonly caption: string | null;
}

/** What came of one: the message's id, and the id by which the file can be sent again as this kind; `null` when Telegram made something else of it. */
export interface SentMedia {
  readonly messageId: number;
  readonly file: { readonly fileId: string; readonly kind: MediaKind } | null;
}

type Signal = NonNullable<Parameters<Api["getMe"]>[0]>;
type Send = (
  api: Api,
  call: { chatId: string; file: string | InputFile; other: Other; signal: Signal },
) => Promise<unknown>;
interface Other extends MessageFrame {
  caption?: string;
}

interface Kind {
  readonly method: string;
  /** The answer's field that holds the file; a photo's holds its sizes. */
  readonly field: string;
  readonly send: Send;
}

export const mediaCalls: Readonly<Record<MediaKind, Kind>> = {
  image: {
    method: "sendPhoto",
    field: "photo",
    send: (api, { chatId, file, other, signal }) => api.sendPhoto(chatId, file, other, signal),
  },
  document: {
    method: "sendDocument",
    field: "document",
    send: (api, { chatId, file, other, signal }) => api.sendDocument(chatId, file, other, signal),
  },
  video: {
    method: "sendVideo",
    field: "video",
    send: (api, { chatId, file, other, signal }) => api.sendVideo(chatId, file, other, signal),
  },
  audio: {
    method: "sendAudio",
    field: "audio",
    send: (api, { chatId, file, other, signal }) => api.sendAudio(chatId, file, other, signal),
  },
  voice: {
    method: "sendVoice",
    field: "voice",
    send: (api, { chatId, file, other, signal }) => api.sendVoice(chatId, file, other, signal),
  },
  sticker: {
    method: "sendSticker",
    field: "sticker",
    send: (api, { chatId, file, other, signal }) => api.sendSticker(chatId, file, other, signal),
  },
};

const answer = z.looseObject({ message_id: z.number().int() });

/** Reads the answer of a media call; `null` when it can't be read. */
export function readSentMedia(kind: MediaKind, value: unknown): SentMedia | null {
  const parsed = answer.safeParse(value);
  if (!parsed.success) return null;
  const found = parsed.data[mediaCalls[kind].field];
  const sent = file.safeParse(Array.isArray(found) ? found.at(-1) : found);
  return {
    messageId: parsed.data.message_id,
    file: sent.success ? { fileId: sent.data.file_id, kind } : null,
  };
}
