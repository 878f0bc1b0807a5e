// Sends one file, the cheapest way that works: by Telegram's own id of it, by its address, else fetched by us and uploaded.
import type { AddressedFile, ConnectorContext } from "@thikaa/connector-kit";
import { MediaFault } from "@thikaa/connector-kit";
import { mediaReasonOf } from "@thikaa/schema";
import type { MediaKind } from "@thikaa/schema";
import { maxBytesOf } from "../capabilities.ts";
import type { TelegramClient } from "../platform/client.ts";
import { isFileRefusal, TelegramCallError } from "../platform/errors.ts";
import type { MediaCall, SentMedia } from "../platform/media-calls.ts";
import { fileNameOf, fits, kindOfFile } from "./file-type.ts";
import type { KnownFiles } from "./known-files.ts";
import type { MediaPayload } from "./plan.ts";

export interface MediaSender {
  readonly client: TelegramClient;
  readonly knownFiles: KnownFiles;
  readonly openAddress: ConnectorContext["openAddress"];
}

/** Gives the message's id. Throws `TelegramCallError`, and `MediaFault` when the file can't be had or is not what it should be. */
export async function sendMedia(
  sender: MediaSender,
  to: Pick<MediaCall, "chatId" | "frame">,
  payload: MediaPayload,
): Promise<number> {
  const { client, knownFiles } = sender;
  const { url, kind, caption } = payload;
  const call = { ...to, kind, caption };
  const known = await knownFiles.find(payload);
  if (known !== null) {
    const { fileId, kind: knownKind } = known;
    const sent = await unlessRefused(client.sendMedia({ ...call, kind: knownKind }, fileId));
    if (sent !== null) return sent.messageId;
    await knownFiles.forget(payload);
  }
  // Where the kind is a guess, the file's own type decides, and only whoever fetches it sees that.
  const byAddress = payload.guessed ? null : await unlessRefused(client.sendMedia(call, url));
  const sent = byAddress ?? (await upload(sender, call, payload));
  if (sent.file !== null) await knownFiles.remember(payload, sent.file);
  return sent.messageId;
}

/** `null` when Telegram could not get the file this way: it has taken nothing then. */
async function unlessRefused(sending: Promise<SentMedia>): Promise<SentMedia | null> {
  try {
    return await sending;
  } catch (error) {
    if (error instanceof TelegramCallError && isFileRefusal(error)) return null;
    throw error;
  }
}

async function upload(
  sender: MediaSender,
  call: MediaCall,
  { url, guessed }: MediaPayload,
): Promise<SentMedia> {
  const file = await sender.openAddress(url);
  const kind = guessed ? kindOfFile(file.mime) : call.kind;
  const maxBytes = maxBytesOf(kind);
  const fault = faultOfFile(file, kind, maxBytes);
  if (fault !== null) {
    file.discard();
    throw fault;
  }
  const source = sourceOf(file.read(maxBytes));
  try {
    return await sender.client.sendMedia(
      { ...call, kind },
      { bytes: source.bytes, name: fileNameOf(file, kind) },
    );
  } catch (error) {
    throw source.explain(error);
  } finally {
    file.discard();
  }
}

function faultOfFile(file: AddressedFile, kind: MediaKind, maxBytes: number): MediaFault | null {
  if (file.size !== null && file.size > maxBytes)
    return new MediaFault({ reason: mediaReasonOf("media_too_large"), final: true });
  if (!fits(kind, file.mime))
    return new MediaFault({
      reason: mediaReasonOf(
        "media_wrong_type",
        `The file is ${file.mime}, which can't be sent as ${kind}.`,
      ),
      final: true,
    });
  return null;
}

/** Bytes on their way through, and how far they came. */
interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Why an upload failed: by its source, or by Telegram. */
  explain(error: unknown): unknown;
}

function sourceOf(bytes: AsyncIterable<Uint8Array>): Source {
  let failure: unknown = null;
  let ended = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
      ended = true;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return {
    bytes: watched(),
    explain(error) {
      if (failure !== null) return failure;
      const isSilent = error instanceof TelegramCallError && error.failure.kind === "silent";
      if (!isSilent || ended) return error;
      // Cut before its last byte it was surely not taken: Telegram knows no half a file.
      return new MediaFault({
        reason: mediaReasonOf("media_unreachable", "The file's upload to Telegram broke off."),
        final: false,
      });
    },
  };
}
