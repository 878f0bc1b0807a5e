// The files of the control API: what a phone sends comes in as plain bytes, and what it shows goes out.
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerJson } from "../http/answer.ts";
import { readBody } from "../http/body.ts";
import type { WhatsAppWebStandIn } from "./contract.ts";
import { file } from "./control-shapes.ts";

const LARGEST_FILE = 128 * 1024 * 1024;

/** `POST …/files?from=&to=&kind=…` with the bytes as `application/octet-stream`; `GET …/files?phone=&messageId=`. Throws for a wrong query. */
export async function answerControlFiles(
  standIn: WhatsAppWebStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { searchParams } = new URL(request.url ?? "/", "http://stand-in");
  if (request.method !== "POST") return sendFile(standIn, searchParams, response);
  // As with JSON: no web page of another origin can send this type unasked.
  if (request.headers["content-type"] !== "application/octet-stream")
    return answerJson(response, 415, { ok: false, error: "Send application/octet-stream." });
  const { from, to, replyTo, addressing, ...media } = file.parse(Object.fromEntries(searchParams));
  const content = { ...media, bytes: await readBody(request, LARGEST_FILE) };
  answerJson(response, 201, await standIn.send({ from, to, replyTo, addressing, content }));
}

function sendFile(
  standIn: WhatsAppWebStandIn,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const messageId = query.get("messageId") ?? "";
  const bytes = standIn.media(query.get("phone") ?? "", messageId);
  if (bytes === null)
    return answerJson(response, 404, {
      ok: false,
      error: `There is no file of a message ${messageId}.`,
    });
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": bytes.length,
  });
  response.end(bytes);
}
