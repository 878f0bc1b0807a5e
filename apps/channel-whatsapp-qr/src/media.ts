// Opens customers' files: their reference has the key, WhatsApp has the bytes.
import { MediaFault } from "@thikaa/connector-kit";
import type { MediaFacet } from "@thikaa/connector-kit";
import { mediaReasonOf } from "@thikaa/schema";
import { readReference } from "./media-reference.ts";
import { openFile } from "./platform/files.ts";
import type { Session } from "./session.ts";

export function whatsAppMedia(session: Session, baseUrl: string): MediaFacet {
  return {
    async open(text, signal) {
      const reference = readReference(text);
      if (reference === null)
        throw new MediaFault({
          reason: mediaReasonOf("media_not_found", "WhatsApp gave no usable address of this file."),
          final: true,
        });
      const open = await session.socket();
      if (open === null)
        throw new MediaFault({ reason: mediaReasonOf("media_unreachable"), final: false });
      const bytes = await openFile({ socket: open.socket, baseUrl }, reference, signal);
      return { bytes, mime: null, name: null };
    },
  };
}
