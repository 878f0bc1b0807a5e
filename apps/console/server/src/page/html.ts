// HTML written as text, where every value is escaped unless it is HTML already.

/** A piece of HTML that is safe to put into a page. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | readonly Html[] | string | number | null;

/** A template whose values are escaped; pieces of HTML, and lists of them, go in as they are, `null` as nothing. */
export function html(pieces: TemplateStringsArray, ...values: readonly Value[]): Html {
  const texts = pieces.map(
    (piece, index) => piece + (index < values.length ? toText(values[index] ?? null) : ""),
  );
  return new Html(texts.join(""));
}

function toText(value: Value): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string" || typeof value === "number") return escape(String(value));
  return value.map((piece) => piece.text).join("");
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
