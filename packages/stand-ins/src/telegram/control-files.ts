// The files of the control API: a person's file comes in as plain bytes, and any file goes out.
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { answerJson } from "../http/answer.ts";
import { readBody } from "../http/body.ts";
import type { TelegramStandIn } from "./contract.ts";
import { FILE_KINDS } from "./files.ts";

const LARGEST_FILE = 64 * 1024 * 1024;
const id = z.coerce.number().int().positive();
const sentShape = z.strictObject({
  personId: id,
  botId: id,
  kind: z.enum(FILE_KINDS),
  name: z.string().optional(),
  mime: z.string().optional(),
  caption: z.string().optional(),
  replyTo: id.optional(),
});

/** `POST …/files?personId=&botId=&kind=…` with the bytes as `application/octet-stream`; `GET …/files?fileId=`. Throws for a wrong query. */
export async function answerControlFiles(
  standIn: TelegramStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { searchParams } = new URL(request.url ?? "/", "http://stand-in");
  if (request.method !== "POST")
    return sendFile(standIn, searchParams.get("fileId") ?? "", response);
  // As with JSON: no web page of another origin can send this type unasked.
  if (request.headers["content-type"] !== "application/octet-stream")
    return answerJson(response, 415, { ok: false, error: "Send application/octet-stream." });
  const sent = sentShape.parse(Object.fromEntries(searchParams));
  const bytes = await readBody(request, LARGEST_FILE);
  answerJson(response, 200, standIn.personSendsFile({ ...sent, bytes }));
}

function sendFile(standIn: TelegramStandIn, fileId: string, response: ServerResponse): void {
  const file = standIn.file(fileId);
  if (file === null)
    return answerJson(response, 404, { ok: false, error: `There is no file ${fileId}.` });
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": file.bytes.length,
  });
  response.end(file.bytes);
}
