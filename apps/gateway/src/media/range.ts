// Which bytes of a file a request asks for, by RFC 9110: one range; anything that can't be read counts as all of it.
export interface ByteRange {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

/** `null` is the whole file; `unsatisfiable` a range that is well written and outside of it. Several ranges are answered by the whole. */
export function readRange(
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | null {
  const [, first = "", last = ""] = /^bytes=(?:(\d*)-(\d*))$/i.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") return readTail(Number(last), size);
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return null;
  return start < size ? { start, end } : "unsatisfiable";
}

function readTail(length: number, size: number): ByteRange | "unsatisfiable" {
  if (length === 0 || size === 0) return "unsatisfiable";
  return { start: Math.max(size - length, 0), end: size - 1 };
}
