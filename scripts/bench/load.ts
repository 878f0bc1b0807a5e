// The load: so many requests in flight over kept connections, each answered before its connection sends the next.
import { connect } from "node:net";
import type { Socket } from "node:net";

/** One request; the connection adds length and host. */
export interface LoadRequest {
  readonly path: string;
  readonly headers: string;
  readonly body: string;
}

export interface LoadOptions {
  /** Where to; connections are shared out evenly. */
  readonly origins: readonly string[];
  readonly inFlight: number;
  readonly seconds: number;
  /** The request with this number, counted over all connections. */
  readonly request: (number: number) => LoadRequest;
}

export interface LoadResult {
  readonly answered: number;
  /** Answers other than 200, and broken connections. */
  readonly refused: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Sends until the time is over, waits for what is in flight, and tells rate and latencies in milliseconds. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const tally = { sent: 0, refused: 0, latencies: [] as number[] };
  const begunAt = performance.now();
  const end = begunAt + options.seconds * 1_000;
  await Promise.all(
    Array.from({ length: options.inFlight }, (_, index) => {
      const origin = options.origins[index % options.origins.length] ?? "";
      return drive({ origin, end, options, tally });
    }),
  );
  const seconds = (performance.now() - begunAt) / 1_000;
  const sorted = tally.latencies.toSorted((left, right) => left - right);
  return {
    answered: sorted.length,
    refused: tally.refused,
    perSecond: sorted.length / seconds,
    p50: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

interface Driving {
  readonly origin: string;
  readonly end: number;
  readonly options: LoadOptions;
  readonly tally: { sent: number; refused: number; readonly latencies: number[] };
}

/** One connection, from its first request to its last answer. */
function drive({ origin, end, options, tally }: Driving): Promise<void> {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  let sentAt = 0;
  const next = (): void => {
    sentAt = performance.now();
    if (sentAt >= end) return void socket.end();
    const { path, headers, body } = options.request(tally.sent++);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };
  readAnswers(socket, (isOk) => {
    if (isOk) tally.latencies.push(performance.now() - sentAt);
    else tally.refused += 1;
    next();
  });
  socket.once("connect", next);
  socket.once("error", () => (tally.refused += 1));
  socket.once("close", () => resolve());
  return promise;
}

/** Calls back once an answer is wholly here. Answers carry their length, as all servers measured here write it. */
function readAnswers(socket: Socket, answered: (isOk: boolean) => void): void {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    const isOk = text.startsWith("HTTP/1.1 200");
    text = text.slice(head + 4 + length);
    answered(isOk);
  });
}
