// Shows a text with Telegram's entities: bold, links and the like, built from text nodes only.
import { make } from "./dom.ts";
import type { PhoneMessage } from "./types.ts";

type Entity = PhoneMessage["entities"][number];

/** The text cut where a mark begins or ends, each piece in an element with its marks. */
export function richText(text: string, entities: readonly Entity[]): Node[] {
  const cuts = new Set([
    0,
    text.length,
    ...entities.flatMap(({ offset, length }) => [offset, offset + length]),
  ]);
  const places = [...cuts]
    .filter((place) => place >= 0 && place <= text.length)
    .sort((one, other) => one - other);
  return places.slice(0, -1).map((from, index) => {
    const to = places[index + 1] ?? text.length;
    const marks = entities.filter(({ offset, length }) => offset <= from && to <= offset + length);
    return piece(text.slice(from, to), marks);
  });
}

function piece(text: string, marks: readonly Entity[]): Node {
  if (marks.length === 0) return document.createTextNode(text);
  const names = marks.map(({ type }) => `mark-${type.replaceAll("_", "-")}`).join(" ");
  const address = marks.map((mark) => linkOf(mark, text)).find((link) => link !== null);
  if (!address) return make("span", { class: names, text });
  return make("a", {
    class: names,
    text,
    attributes: { href: address, target: "_blank", rel: "noopener noreferrer" },
  });
}

/** Only web addresses become links: a `javascript:` address stays text. */
function linkOf(mark: Entity, text: string): string | null {
  const address = mark.type === "text_link" ? (mark.url ?? "") : mark.type === "url" ? text : "";
  return /^https?:\/\//i.test(address) && URL.canParse(address) ? address : null;
}
