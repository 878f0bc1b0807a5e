// Changes a message that was sent (new words for it, or none of it left), or reacts to one. Doing it twice is doing it once.
import type { KnownMessage } from "@thikaa/connector-kit";
import { captionLengthOf, maxTextLength } from "../capabilities.ts";
import type { Saying } from "../platform/compose.ts";
import { isChange, partPayload } from "./plan.ts";
import type { ChangePayload, MessagePayload } from "./plan.ts";
import { splitText } from "@thikaa/connector-kit";

/** Why a message can't be changed, though WhatsApp was not asked. */
export class ChangeRefusal extends Error {
  readonly code: "nothing_to_change" | "not_sent_yet" | "edit_too_long";

  constructor(code: ChangeRefusal["code"], message: string) {
    super(message);
    this.name = "ChangeRefusal";
    this.code = code;
  }
}

interface SentPart {
  readonly payload: MessagePayload;
  readonly id: string;
}

/** What to say so that it is changed or reacted to, in order. Throws `ChangeRefusal`. */
export function changeSayings(
  known: KnownMessage | null,
  change: Exclude<ChangePayload, { kind: "read" }>,
  chat: string,
): readonly Saying[] {
  if (known?.pending)
    throw new ChangeRefusal("not_sent_yet", "The message that this one changes is not sent yet.");
  if (change.kind === "react") return [reaction(known, change.emoji, chat)];
  const parts = (known?.parts ?? []).flatMap(toSentPart);
  if (parts.length === 0)
    throw new ChangeRefusal("nothing_to_change", "Nothing was sent of the message to change.");
  return change.kind === "edit"
    ? editSayings(parts, change.text, chat)
    : parts.map((part) => deletion(part, chat));
}

function toSentPart({ payload, providerMessageId: id }: KnownMessage["parts"][number]): SentPart[] {
  const { data } = partPayload.safeParse(payload);
  return data === undefined || isChange(data) ? [] : [{ payload: data, id }];
}

/** The words stand in the file's caption or in texts of their own, never in both. Texts that are no longer needed go. */
function editSayings(parts: readonly SentPart[], text: string, chat: string): Saying[] {
  const texts = parts.filter(({ payload }) => payload.kind === "text");
  if (texts.length === 0) return [captionEdit(parts[0], text, chat)];
  const pieces = splitText(text, maxTextLength);
  if (pieces.length > texts.length)
    throw new ChangeRefusal(
      "edit_too_long",
      `The new text needs ${pieces.length} WhatsApp messages, the one that was sent took ${texts.length}. Send a new message instead.`,
    );
  return texts.map((part, index) => {
    const piece = pieces[index];
    return piece === undefined
      ? deletion(part, chat)
      : { kind: "edit", key: keyOf(part, chat), text: piece, caption: null };
  });
}

function captionEdit(part: SentPart | undefined, text: string, chat: string): Saying {
  const media = part?.payload.kind === "media" ? part.payload.media : null;
  if (part === undefined || (media !== "image" && media !== "video" && media !== "document"))
    throw new ChangeRefusal("nothing_to_change", "The message has no words to edit.");
  const most = captionLengthOf(media);
  if (text.length > most)
    throw new ChangeRefusal(
      "edit_too_long",
      `A file's caption has at most ${most} characters on WhatsApp.`,
    );
  return { kind: "edit", key: keyOf(part, chat), text, caption: media };
}

function deletion(part: SentPart, chat: string): Saying {
  return { kind: "delete", key: keyOf(part, chat) };
}

/** The first part stands for the message, as in answers. Of a customer's message it is the message itself. */
function reaction(known: KnownMessage | null, emoji: string | null, chat: string): Saying {
  const first: KnownMessage["parts"][number] | undefined = known?.parts[0];
  if (first === undefined)
    throw new ChangeRefusal("nothing_to_change", "There is no message on WhatsApp to react to.");
  const { payload, providerMessageId: id } = first;
  return { kind: "react", key: { remoteJid: chat, fromMe: payload !== null, id }, emoji };
}

function keyOf({ id }: SentPart, chat: string) {
  return { remoteJid: chat, fromMe: true, id } as const;
}
