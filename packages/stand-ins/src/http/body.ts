// Reads a request body whole, up to a limit.
import type { IncomingMessage } from "node:http";

/** The body was larger than the reader allows. */
export class BodyTooLargeError extends Error {}

/** Resolves with the whole body. Rejects with BodyTooLargeError past `limit` bytes, or when the client leaves. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > limit) throw new BodyTooLargeError(`The body is larger than ${limit} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
