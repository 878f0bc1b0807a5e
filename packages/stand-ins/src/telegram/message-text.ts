// Turns the text arguments of a call into what is stored: parsed, trimmed, measured, with links and commands marked.
import { badRequest } from "./api-error.ts";
import type { CallArguments } from "./call-arguments.ts";
import { parseHtml } from "./html-text.ts";
import type { FormattedText } from "./html-text.ts";
import type { WireEntity } from "./wire.ts";

/** Longest text, in UTF-16 units after parsing. */
export const LONGEST_TEXT = 4096;
export const LONGEST_CAPTION = 1024;

const FOUND_IN_TEXT: readonly { type: string; pattern: RegExp }[] = [
  { type: "url", pattern: /(?<![\w@.])https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/giu },
  { type: "email", pattern: /(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu },
  { type: "mention", pattern: /(?<![\w@.])@[a-z]\w{3,31}/giu },
  { type: "bot_command", pattern: /(?<![\w/])\/\w{1,64}(?:@\w+)?/gu },
  { type: "hashtag", pattern: /(?<![\p{L}\p{N}_])#[\p{L}\p{N}_]*[\p{L}_][\p{L}\p{N}_]*/gu },
];

/** The text of sendMessage or editMessageText. Throws the real server's 400s; edits name the length differently. */
export function readMessageText(
  callArguments: CallArguments,
  tooLong = "message is too long",
): FormattedText {
  const formatted = trimmed(parsed(callArguments));
  if (!/[^\s\p{Cf}\p{Cc}\u2800]/u.test(formatted.text)) throw badRequest("message text is empty");
  if (formatted.text.length > LONGEST_TEXT) throw badRequest(tooLong);
  return { text: formatted.text, entities: withFound(formatted) };
}

/** The caption of a file; empty when there is none, or the kind carries none. Throws the real server's 400s. */
export function readCaption(callArguments: CallArguments, carried: boolean): FormattedText {
  if (!carried || callArguments.text("caption") === "") return { text: "", entities: [] };
  const formatted = trimmed(parsed(callArguments, "caption"));
  if (formatted.text.length > LONGEST_CAPTION) throw badRequest("message caption is too long");
  return { text: formatted.text, entities: withFound(formatted) };
}

/** Text a person typed: nothing is parsed, but links and commands are marked. */
export function markPlainText(text: string): FormattedText {
  return { text, entities: withFound({ text, entities: [] }) };
}

function parsed(callArguments: CallArguments, field: "text" | "caption" = "text"): FormattedText {
  const text = callArguments.text(field);
  const mode = callArguments.text("parse_mode").toLowerCase();
  if (mode === "html") return parseHtml(text);
  if (mode !== "" && mode !== "none") throw badRequest("unsupported parse_mode");
  const entities = field === "text" ? "entities" : "caption_entities";
  return { text, entities: readEntities(callArguments.json(entities), text.length) };
}

function readEntities(value: unknown, textLength: number): WireEntity[] {
  if (value === undefined || value === "") return [];
  if (!Array.isArray(value)) throw badRequest("can't parse entities: expected an Array");
  return value.map((item: unknown) => readEntity(item, textLength));
}

function readEntity(value: unknown, textLength: number): WireEntity {
  if (typeof value !== "object" || value === null)
    throw badRequest("can't parse MessageEntity: expected an Object");
  const {
    type,
    offset,
    length,
    url,
    language,
    custom_emoji_id: emoji,
  }: Partial<Record<string, unknown>> = { ...value };
  if (typeof type !== "string")
    throw badRequest('can\'t parse MessageEntity: Field "type" must be of type String');
  if (typeof offset !== "number" || typeof length !== "number")
    throw badRequest("can't parse MessageEntity: offset and length must be Numbers");
  if (offset < 0 || length <= 0 || offset + length > textLength) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`,
    );
  }
  return {
    type,
    offset,
    length,
    ...(typeof url === "string" ? { url } : {}),
    ...(typeof language === "string" ? { language } : {}),
    ...(typeof emoji === "string" ? { custom_emoji_id: emoji } : {}),
  };
}

/** Telegram drops white space at both ends; the marks move with the text. */
function trimmed({ text, entities }: FormattedText): FormattedText {
  const start = text.length - text.trimStart().length;
  const kept = text.trim();
  const moved = entities.map((entity) => {
    const from = Math.max(entity.offset - start, 0);
    const to = Math.min(entity.offset + entity.length - start, kept.length);
    return { ...entity, offset: from, length: to - from };
  });
  return { text: kept, entities: moved.filter((entity) => entity.length > 0) };
}

function withFound({ text, entities }: FormattedText): WireEntity[] {
  const all = [...entities];
  const overlaps = (offset: number, length: number): boolean =>
    all.some((entity) => entity.offset < offset + length && offset < entity.offset + entity.length);
  for (const { type, pattern } of FOUND_IN_TEXT) {
    for (const found of text.matchAll(pattern)) {
      if (!overlaps(found.index, found[0].length))
        all.push({ type, offset: found.index, length: found[0].length });
    }
  }
  return all.sort((one, other) => one.offset - other.offset || other.length - one.length);
}
