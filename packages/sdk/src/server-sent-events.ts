// Server-sent events out of a stream of bytes.

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  /** The last id that was given, to go on from. */
  readonly id: string | null;
}

const longestEvent = 4 * 1024 * 1024;

/** Events as they come; comments are passed over. Ends with the stream; an event without its empty line is dropped. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const fields: Fields = { event: "", data: [], id: null };
  for await (const line of readLines(body)) {
    if (line !== "") takeLine(fields, line);
    else if (fields.data.length > 0 || fields.event !== "") {
      yield {
        event: fields.event === "" ? "message" : fields.event,
        data: fields.data.join("\n"),
        id: fields.id,
      };
      fields.event = "";
      fields.data = [];
    }
  }
}

interface Fields {
  event: string;
  data: string[];
  id: string | null;
}

function takeLine(fields: Fields, line: string): void {
  const colon = line.indexOf(":");
  if (colon === 0) return;
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (name === "event") fields.event = value;
  else if (name === "data") fields.data.push(value);
  else if (name === "id") fields.id = value;
}

async function* readLines(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > longestEvent) throw new RangeError("An event in the stream is too long.");
    yield* lines;
  }
}
