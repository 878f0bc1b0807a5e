// Downloads a file from Telegram as a stream; its errors hold neither the URL nor the token in it.
import { TelegramCallError } from "./errors.ts";

/** Resolves when the bytes begin to come. Throws `TelegramCallError`, and so do the bytes. */
export async function download(
  file: { baseUrl: string; token: string; path: string },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const response = await fetch(`${file.baseUrl}/file/bot${file.token}/${path}`, {
    // A redirect would take the token somewhere else.
    redirect: "error",
    signal,
  }).catch(throwSilence);
  if (response.ok && response.body !== null) return bytesOf(response.body);
  await response.body?.cancel();
  throw new TelegramCallError("file", {
    kind: "refused",
    code: response.status,
    description: response.statusText,
    retryAfterSeconds: Number(response.headers.get("retry-after")) || null,
    migrateToChatId: null,
  });
}

async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throwSilence(error);
  }
}

function throwSilence(error: unknown): never {
  const cause = error instanceof Error ? error.cause : undefined;
  const code =
    cause instanceof Error && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : "no answer";
  throw new TelegramCallError("file", { kind: "silent", code });
}
