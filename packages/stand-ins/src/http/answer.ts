// Writes JSON answers and streams of server-sent events.
import type { ServerResponse } from "node:http";

/** Answers with a JSON body and its exact length. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

/** Opens a stream of server-sent events; the returned function sends one. */
export function openEventStream(response: ServerResponse): (event: string, data: unknown) => void {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  response.write(": open\n\n");
  return (event, data) => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
}
