// Text: what a database can hold, what equals what, what people meant to type, and what is one emoji.

/** The same text with lone surrogates replaced by U+FFFD and NUL characters taken out, which PostgreSQL could not store. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const emojiShape = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[\d#*]\u{fe0f}?\u{20e3}/u;

/** Whether a text is one emoji and nothing else, however many characters that is made of. */
export function isOneEmoji(text: string): boolean {
  return [...graphemes.segment(text)].length === 1 && emojiShape.test(text);
}

/** The same JSON value with every text in it made storable; keys too. Depth is bounded by the parser's caller. */
export function storableJson(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [storableText(key), storableJson(entry)]),
  );
}

/**
 * A text that is equal exactly when two parsed JSON values are equal: object keys sorted, no white space.
 * For fingerprints, where key order and escapes must not matter.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
}

/** The known name nearest to a mistyped one, or `null` when none is near (more than a third of it differs). */
export function nearestName(typed: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(Math.min(typed.length, 40) / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(typed.slice(0, 40).toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
