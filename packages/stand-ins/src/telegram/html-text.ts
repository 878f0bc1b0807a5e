// Reads `parse_mode: "HTML"` as Telegram does: the listed tags become entities, anything else is refused.
import { badRequest } from "./api-error.ts";
import type { WireEntity } from "./wire.ts";

/** Text and the marks in it. */
export interface FormattedText {
  text: string;
  entities: WireEntity[];
}

interface OpenTag {
  name: string;
  offset: number;
  entity: Omit<WireEntity, "offset" | "length"> | null;
}

interface StartTag {
  name: string;
  attributes: Map<string, string>;
}

const SIMPLE_TAGS: ReadonlyMap<string, string> = new Map([
  ["b", "bold"],
  ["strong", "bold"],
  ["i", "italic"],
  ["em", "italic"],
  ["u", "underline"],
  ["ins", "underline"],
  ["s", "strikethrough"],
  ["strike", "strikethrough"],
  ["del", "strikethrough"],
  ["tg-spoiler", "spoiler"],
  ["code", "code"],
  ["pre", "pre"],
]);
const NAMED_CHARACTERS: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
]);

/** Parses marked-up text. Throws 400 `can't parse entities: …` with the byte offset the real server names. */
export function parseHtml(source: string): FormattedText {
  return new HtmlReader(source).read();
}

class HtmlReader {
  readonly #source: string;
  readonly #entities: WireEntity[] = [];
  readonly #open: OpenTag[] = [];
  #text = "";
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): FormattedText {
    while (this.#at < this.#source.length) {
      const character = this.#source.charAt(this.#at);
      if (character === "&") this.#readCharacterReference();
      else if (character !== "<") this.#take(character, 1);
      else if (this.#source.charAt(this.#at + 1) === "/") this.#readEndTag();
      else this.#readStartTag();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed)
      throw unparsable(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
    return {
      text: this.#text,
      entities: this.#entities.sort(
        (one, other) => one.offset - other.offset || other.length - one.length,
      ),
    };
  }

  #take(text: string, sourceLength: number): void {
    this.#text += text;
    this.#at += sourceLength;
  }

  #readCharacterReference(): void {
    const rest = this.#source.slice(this.#at, this.#at + 12);
    const numeric = /^&#(?:x([\da-f]{1,6})|(\d{1,7}));?/i.exec(rest);
    const code = numeric
      ? Number.parseInt(numeric[1] ?? numeric[2] ?? "", numeric[1] ? 16 : 10)
      : 0;
    if (numeric && code > 0 && code < 0x10ffff)
      return this.#take(String.fromCodePoint(code), numeric[0].length);
    const named = /^&(lt|gt|amp|quot);?/.exec(rest);
    const character = NAMED_CHARACTERS.get(named?.[1] ?? "");
    if (named && character !== undefined) this.#take(character, named[0].length);
    else this.#take("&", 1);
  }

  #readStartTag(): void {
    const begin = this.#at;
    const end = this.#source.indexOf(">", begin);
    const found =
      end === -1 ? null : /^<([^\s>]*)((?:\s[^>]*)?)>/.exec(this.#source.slice(begin, end + 1));
    if (!found) throw unparsable(`Unclosed start tag at byte offset ${this.#bytes(begin)}`);
    const tag = {
      name: (found[1] ?? "").toLowerCase(),
      attributes: readAttributes(found[2] ?? ""),
    };
    const entity = entityFor(tag, this.#open.at(-1)?.name ?? "");
    if (entity === undefined)
      throw unparsable(`Unsupported start tag "${tag.name}" at byte offset ${this.#bytes(begin)}`);
    this.#open.push({ name: tag.name, offset: this.#text.length, entity });
    this.#at = end + 1;
  }

  #readEndTag(): void {
    const begin = this.#at;
    const end = this.#source.indexOf(">", begin);
    if (end === -1) throw unparsable(`Unclosed end tag at byte offset ${this.#bytes(begin)}`);
    const name = this.#source
      .slice(begin + 2, end)
      .trim()
      .toLowerCase();
    const tag = this.#open.pop();
    if (!tag) throw unparsable(`Unexpected end tag at byte offset ${this.#bytes(begin)}`);
    if (name !== "" && name !== tag.name) {
      throw unparsable(
        `Unmatched end tag at byte offset ${this.#bytes(begin)}, expected "</${tag.name}>", found "</${name}>"`,
      );
    }
    const length = this.#text.length - tag.offset;
    if (tag.entity && length > 0)
      this.#entities.push({ ...tag.entity, offset: tag.offset, length });
    this.#at = end + 1;
  }

  #bytes(index: number): number {
    return Buffer.byteLength(this.#source.slice(0, index));
  }
}

function unparsable(text: string): Error {
  return badRequest(`can't parse entities: ${text}`);
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, plain] of text.matchAll(
    /([\w-]+)(?:=(?:"([^"]*)"|'([^']*)'|(\S+)))?/g,
  )) {
    attributes.set(name.toLowerCase(), double ?? single ?? plain ?? "");
  }
  return attributes;
}

/** The entity a tag makes; null for a tag that only groups; undefined for a tag Telegram does not know. */
function entityFor({ name, attributes }: StartTag, parent: string): OpenTag["entity"] | undefined {
  const language = attributes.get("class")?.replace(/^language-/, "");
  if (name === "code" && parent === "pre" && language) return { type: "pre", language };
  const simple = SIMPLE_TAGS.get(name);
  if (simple) return { type: simple };
  if (name === "span" && attributes.get("class") === "tg-spoiler") return { type: "spoiler" };
  if (name === "blockquote")
    return { type: attributes.has("expandable") ? "expandable_blockquote" : "blockquote" };
  if (name === "a")
    return attributes.get("href") ? { type: "text_link", url: attributes.get("href") ?? "" } : null;
  const emoji = attributes.get("emoji-id");
  if (name === "tg-emoji" && emoji) return { type: "custom_emoji", custom_emoji_id: emoji };
  return name === "tg-time" ? null : undefined;
}
