// Uploads and downloads of files, over http and https.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerJson } from "../http/answer.ts";
import { readBody } from "../http/body.ts";
import type { World } from "./world.ts";

/** As WhatsApp: 2 GB for a document; kept in memory here, so far less. */
const LARGEST_FILE = 128 * 1024 * 1024;
const NOBODY = { phone: null, device: null };

/** Whether a path is one of files. */
export function isMediaPath(path: string): boolean {
  return path.startsWith("/mms/") || path.startsWith("/v/");
}

export async function answerMedia(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://stand-in");
  const [, , mediaKind = "", name = ""] = pathname.split("/");
  const isUpload = request.method === "POST";
  const direction = isUpload ? "upload" : "download";
  const fault = world.faults.take("media", null, (one) => one.direction === direction);
  const body = isUpload ? await readBody(request, LARGEST_FILE) : null;
  const note = (status: number, bytes: number): void =>
    void world.record.add(NOBODY, { kind: direction, mediaKind, bytes, status });
  if (fault !== null) {
    note(fault.status, body?.length ?? 0);
    return answerJson(response, fault.status, { error: { code: fault.status } });
  }
  if (body !== null) {
    const fits = createHash("sha256").update(body).digest("base64url") === decodeURIComponent(name);
    note(fits ? 200 : 400, body.length);
    if (!fits) return answerJson(response, 400, { error: "The name is not the hash of the file." });
    const path = world.media.put(mediaKind, body);
    return answerJson(response, 200, {
      url: `https://${world.media.host}${path}`,
      direct_path: path,
    });
  }
  const file = world.media.get(pathname);
  note(file === null ? 404 : 200, file?.length ?? 0);
  if (file === null) return answerJson(response, 404, { error: "There is no such file." });
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": file.length,
  });
  response.end(file);
}
