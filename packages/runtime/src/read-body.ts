// Reading a request's body whole, up to a limit; the one place where bytes of strangers are gathered.
import type { IncomingMessage } from "node:http";

/** Thrown when the client went away before its body was here: nobody is left to answer. */
export class ClientGone extends Error {
  constructor() {
    super("the client went away before its request was whole");
    this.name = "ClientGone";
  }
}

/**
 * The body's bytes, or `null` when there are more than `maxBytes`: the rest is not read, so the answer must close the
 * connection. Rejects with `ClientGone`.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    // Gone before anybody listened: no event would come any more.
    if (request.destroyed) return reject(new ClientGone());
    const pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > maxBytes) {
        request.pause();
        resolve(null);
      } else pieces.push(piece);
    });
    request.on("end", () =>
      resolve(pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)),
    );
    request.on("error", () => reject(new ClientGone()));
    // Every connection closes in the end; only a request that is not whole then was given up.
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
  });
}
