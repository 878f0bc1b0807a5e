// Array parameters as PostgreSQL reads them: the driver's own writing of them costs more than anything else of a large batch. Pure.

/**
 * The literal of an array whose items are texts, numbers, booleans, dates, bytes or null; `null` when there is another kind
 * of item among them, which is the driver's to write.
 */
export function arrayLiteral(items: readonly unknown[]): string | null {
  let text = "{";
  for (let place = 0; place < items.length; place += 1) {
    const item = elementOf(items[place]);
    if (item === null) return null;
    text += place === 0 ? item : `,${item}`;
  }
  return `${text}}`;
}

function elementOf(item: unknown): string | null {
  if (item === null || item === undefined) return "NULL";
  if (typeof item === "string") return quote(item);
  if (typeof item === "number" || typeof item === "bigint") return `${item}`;
  if (typeof item === "boolean") return item ? "t" : "f";
  if (Buffer.isBuffer(item)) return `"\\\\x${item.toString("hex")}"`;
  if (item instanceof Date) return `"${item.toISOString()}"`;
  return null;
}

function quote(text: string): string {
  if (!text.includes('"') && !text.includes("\\")) return `"${text}"`;
  // JSON escapes the same two characters by the same sign, and does it fastest; it has more to escape only in texts like these.
  if (text.isWellFormed() && !/\p{Cc}/u.test(text)) return JSON.stringify(text);
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
