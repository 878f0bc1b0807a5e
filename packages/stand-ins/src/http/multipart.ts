// A tolerant multipart/form-data reader: it takes unquoted file names with spaces and non-ASCII letters, as real servers do.

/** One part of a form: a text field, or a file when it has a file name. */
export interface FormPart {
  name: string;
  fileName: string | null;
  contentType: string | null;
  data: Buffer;
}

const HEADER_END = Buffer.from("\r\n\r\n");

/** The boundary in a Content-Type header, or null when it names none. */
export function multipartBoundary(contentType: string): string | null {
  const found = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

/** Cuts a form body into its parts. A part without a name is skipped; a body cut short gives the parts that are whole. */
export function readMultipart(body: Buffer, boundary: string): FormPart[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line break before it; adding one makes all delimiters alike.
  const whole = Buffer.concat([Buffer.from("\r\n"), body]);
  const parts: FormPart[] = [];
  let start = whole.indexOf(delimiter);
  while (start !== -1) {
    const from = start + delimiter.length;
    const end = whole.indexOf(delimiter, from);
    if (end === -1) break;
    const part = readPart(whole.subarray(from, end));
    if (part) parts.push(part);
    start = end;
  }
  return parts;
}

function readPart(bytes: Buffer): FormPart | null {
  const split = bytes.indexOf(HEADER_END);
  if (split === -1) return null;
  const headers = readHeaders(bytes.subarray(0, split).toString("utf8"));
  const disposition = headers.get("content-disposition") ?? "";
  const name = parameter(disposition, "name");
  if (name === null) return null;
  return {
    name,
    fileName: parameter(disposition, "filename"),
    contentType: headers.get("content-type") ?? null,
    data: bytes.subarray(split + HEADER_END.length),
  };
}

function readHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0)
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** A parameter of Content-Disposition. An unquoted `filename` runs to the end of the line: it may hold spaces and semicolons. */
function parameter(disposition: string, name: string): string | null {
  const quoted = new RegExp(`[;\\s]${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(disposition);
  if (quoted?.[1] !== undefined) return quoted[1].replaceAll(/\\(.)/g, "$1");
  const rest = name === "filename" ? "(.*)$" : "([^;]*)";
  const plain = new RegExp(`[;\\s]${name}=${rest}`, "i").exec(disposition);
  return plain?.[1]?.trim() ?? null;
}
