// The files of received messages as events show them, with signed links to those that are here. Pure.
import type { MessageMedia } from "@thikaa/db";
import type { MessageUpdatedData, ReceivedMedia } from "@thikaa/schema";
import type { MediaLinks } from "@thikaa/vault";

/** Makes the public address of a file. */
export type MediaAddress = (media: Pick<MessageMedia, "id" | "store_id" | "name">) => string;

/** `publicUrl` is where the gateway's paths are reached. Links are good for ever: an event is told again long after it was written. */
export function mediaAddresses(links: MediaLinks, publicUrl: string): MediaAddress {
  const base = publicUrl.replace(/\/+$/, "");
  return ({ id, store_id: storeId, name }) => base + links.path({ mediaId: id, storeId, name });
}

/** The media fields of a message's event; `media_url` and `media_type` are those of its first file. */
export function mediaFields(
  files: readonly MessageMedia[],
  addressOf: MediaAddress,
): Pick<MessageUpdatedData, "media_url" | "media_type" | "media"> {
  const media = files
    .toSorted((one, other) => one.n - other.n)
    .map((file) => toReceivedMedia(file, addressOf));
  return { media_url: media[0]?.url ?? null, media_type: media[0]?.type ?? null, media };
}

function toReceivedMedia(file: MessageMedia, addressOf: MediaAddress): ReceivedMedia {
  const { kind, mime, size, name, sha256, status, reason } = file;
  return {
    url: status === "ready" ? addressOf(file) : null,
    type: kind,
    mime,
    size,
    name,
    sha256,
    status,
    ...(reason === null ? {} : { reason }),
  };
}
