// Splits long text where a reader would: at the end of a paragraph, a line, a word; never inside a character.

/** Where a piece may end, best first. The first two are not worth a piece of less than half the length. */
const ends = [
  { pattern: /\n[^\S\n]*\n\s*/g, atLeast: 0.5 },
  { pattern: /\n\s*/g, atLeast: 0.5 },
  { pattern: /\s+/g, atLeast: 0 },
] as const;

const characters = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * Cuts a text into pieces of at most `limit` UTF-16 units, in order. White space at a cut is left out; nothing else is.
 * A piece of white space alone is left out too, since it can't be sent. A short text is one piece, unchanged.
 */
export function splitText(text: string, limit: number): string[] {
  if (text.length <= limit) return [text];
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > limit) {
    const { end, next } = cutOf(rest, limit);
    pieces.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(next);
  }
  const visible = [...pieces, rest].filter((piece) => piece.trim() !== "");
  return visible.length > 0 ? visible : [text.slice(0, limit)];
}

/** Where the first piece ends, and where the next one begins. */
function cutOf(text: string, limit: number): { end: number; next: number } {
  for (const { pattern, atLeast } of ends) {
    const found = lastGap(text, { pattern, limit, atLeast: atLeast * limit });
    if (found !== null) return found;
  }
  const end = characterEnd(text, limit);
  return { end, next: end };
}

function lastGap(
  text: string,
  gap: { pattern: RegExp; limit: number; atLeast: number },
): { end: number; next: number } | null {
  let last: { end: number; next: number } | null = null;
  for (const match of text.slice(0, gap.limit + 1).matchAll(gap.pattern)) {
    if (match.index > 0 && match.index >= gap.atLeast && match.index <= gap.limit)
      last = { end: match.index, next: match.index + match[0].length };
  }
  return last;
}

/** The last place up to `limit` that does not cut a character as a reader sees it; where one is longer than that, at least no surrogate pair is cut. */
function characterEnd(text: string, limit: number): number {
  const around = characters.segment(text.slice(0, limit + 64)).containing(limit);
  if (around !== undefined && around.index > 0) return around.index;
  const before = text.charCodeAt(limit - 1);
  return before >= 0xd800 && before <= 0xdbff && limit > 1 ? limit - 1 : limit;
}
