// What a message of WhatsApp says, in words that tests and the simulator use.
import type { proto } from "@whiskeysockets/baileys";

/** Media kinds that are uploaded. A voice is recorded in the app, an audio is a file. */
export const MEDIA_KINDS = ["image", "video", "audio", "voice", "document", "sticker"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

/** A file with a message. Of what lies in a chat `bytes` is left out: `WhatsAppWebStandIn.media` gives them. */
export interface MediaContent {
  kind: MediaKind;
  bytes?: Uint8Array | undefined;
  mime?: string | undefined;
  name?: string | undefined;
  caption?: string | undefined;
}

/** What is said. `other` is anything else, as WhatsApp's own message structure has it. */
export type PhoneContent =
  | { kind: "text"; text: string }
  | MediaContent
  | {
      kind: "location";
      latitude: number;
      longitude: number;
      name?: string | undefined;
      address?: string | undefined;
    }
  | { kind: "contact"; name: string; phones: readonly string[] }
  /** `emoji` null takes the reaction back. */
  | { kind: "reaction"; messageId: string; emoji: string | null }
  | { kind: "edit"; messageId: string; text: string }
  | { kind: "delete"; messageId: string }
  | { kind: "other"; message: proto.IMessage };

export function isMedia(content: PhoneContent): content is MediaContent {
  return MEDIA_KINDS.some((kind) => kind === content.kind);
}
