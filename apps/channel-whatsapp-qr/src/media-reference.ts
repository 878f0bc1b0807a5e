// How a customer's file is named between the message that brought it and the moment it is fetched.
import { z } from "zod";

export const fileKeyKinds = ["image", "video", "audio", "document"] as const;
/** Which of WhatsApp's kinds of keys a file is encrypted with. */
export type FileKeyKind = (typeof fileKeyKinds)[number];

const reference = z.object({
  /** On whichever host WhatsApp gives files out. */
  path: z.string().regex(/^\/(?!\/)/),
  /** Base64, as is the digest of the bytes. */
  key: z.string(),
  sha256: z.string().nullable(),
  keyKind: z.enum(fileKeyKinds),
});
export type MediaReference = z.infer<typeof reference>;

export function writeReference(found: MediaReference): string {
  return JSON.stringify(found);
}

/** `null` when it is none, or could lead anywhere but to WhatsApp's host. */
export function readReference(text: string): MediaReference | null {
  try {
    return reference.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
