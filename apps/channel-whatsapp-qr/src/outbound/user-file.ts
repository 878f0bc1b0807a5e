// A file that one of our users named by its address, on its way to WhatsApp.
import type { AddressedFile, ConnectorContext } from "@thikaa/connector-kit";
import { MediaFault } from "@thikaa/connector-kit";
import { mediaReasonOf } from "@thikaa/schema";
import type { MediaKind } from "@thikaa/schema";
import { maxBytesOf } from "../capabilities.ts";
import type { Saying } from "../platform/compose.ts";
import { fits, kindOfFile, nameFor, typeFor } from "./file-type.ts";
import type { MediaPayload } from "./plan.ts";

/** The file, opened. `failure` tells why its bytes broke off; `null` while they did not. */
export interface UserFile {
  readonly saying: Extract<Saying, { kind: "media" }>;
  readonly failure: () => unknown;
  discard(): void;
}

/** Throws `MediaFault` when the file can't be had, or is not what it should be. */
export async function openUserFile(
  context: Pick<ConnectorContext, "openAddress">,
  { url, media, guessed, caption }: MediaPayload,
): Promise<UserFile> {
  const file = await context.openAddress(url);
  const kind = guessed ? kindOfFile(file.mime) : media;
  const fault = faultOf(file, kind);
  if (fault !== null) {
    file.discard();
    throw fault;
  }
  let failure: unknown = null;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* file.read(maxBytesOf(kind));
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return {
    saying: {
      kind: "media",
      media: kind,
      bytes: watched(),
      mime: typeFor(kind, file.mime),
      name: nameFor(file.name),
      caption,
    },
    failure: () => failure,
    discard: () => file.discard(),
  };
}

function faultOf(file: AddressedFile, kind: MediaKind): MediaFault | null {
  if (file.size !== null && file.size > maxBytesOf(kind))
    return new MediaFault({ reason: mediaReasonOf("media_too_large"), final: true });
  if (fits(kind, file.mime)) return null;
  return new MediaFault({
    reason: mediaReasonOf(
      "media_wrong_type",
      `The file is ${file.mime}, which can't be sent as ${kind}.`,
    ),
    final: true,
  });
}
