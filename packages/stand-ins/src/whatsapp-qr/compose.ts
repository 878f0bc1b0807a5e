// Writes what a phone says in WhatsApp's own message structure.
import { proto } from "@whiskeysockets/baileys";
import { isMedia } from "./content.ts";
import type { MediaContent, MediaKind, PhoneContent } from "./content.ts";
import type { MediaReference } from "./media-shelf.ts";

/** What composing needs to know of the chat. */
export interface Composing {
  /** Puts a file where clients find it. */
  seal: (kind: MediaKind, bytes: Uint8Array) => MediaReference;
  /** How the sender names a message of the chat. */
  keyOf: (messageId: string) => proto.IMessageKey;
  /** What an answer quotes. */
  quoted: { messageId: string; participant: string; message: proto.IMessage } | null;
  now: number;
}

const { Type } = proto.Message.ProtocolMessage;

const MIMES: Readonly<Record<MediaKind, string>> = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/mpeg",
  voice: "audio/ogg; codecs=opus",
  document: "application/octet-stream",
  sticker: "image/webp",
};

export function composeMessage(content: PhoneContent, composing: Composing): proto.IMessage {
  const contextInfo = contextOf(composing);
  if (isMedia(content)) return composeMedia(content, composing, contextInfo);
  switch (content.kind) {
    case "text":
      return contextInfo === undefined
        ? { conversation: content.text }
        : { extendedTextMessage: { text: content.text, contextInfo } };
    case "location": {
      const { latitude, longitude, name, address } = content;
      return {
        locationMessage: {
          degreesLatitude: latitude,
          degreesLongitude: longitude,
          name,
          address,
          contextInfo,
        },
      };
    }
    case "contact":
      return {
        contactMessage: { displayName: content.name, vcard: vcardOf(content), contextInfo },
      };
    case "reaction":
      return {
        reactionMessage: {
          key: composing.keyOf(content.messageId),
          text: content.emoji ?? "",
          senderTimestampMs: composing.now,
        },
      };
    case "edit":
      return {
        protocolMessage: {
          key: composing.keyOf(content.messageId),
          type: Type.MESSAGE_EDIT,
          editedMessage: { conversation: content.text },
          timestampMs: composing.now,
        },
      };
    case "delete":
      return { protocolMessage: { key: composing.keyOf(content.messageId), type: Type.REVOKE } };
    case "other":
      return content.message;
  }
}

/** `type` of the stanza that carries it. */
export function stanzaTypeOf(content: PhoneContent): string {
  if (isMedia(content) || content.kind === "contact") return "media";
  return content.kind === "reaction" ? "reaction" : "text";
}

/** `edit` of the stanza that carries it. */
export function stanzaEditOf(content: PhoneContent): string | undefined {
  if (content.kind === "edit") return "1";
  return content.kind === "delete" ? "7" : undefined;
}

function composeMedia(
  content: MediaContent,
  composing: Composing,
  contextInfo: proto.IContextInfo | undefined,
): proto.IMessage {
  const { kind, bytes, mime: mimetype = MIMES[kind], name: fileName, caption } = content;
  if (bytes === undefined) throw new Error(`A message of the kind ${kind} needs its bytes.`);
  const reference = composing.seal(kind, bytes);
  const file = {
    ...reference,
    mimetype,
    contextInfo,
    mediaKeyTimestamp: Math.floor(composing.now / 1000),
  };
  switch (kind) {
    case "image":
      return { imageMessage: { ...file, caption } };
    case "video":
      return { videoMessage: { ...file, caption } };
    case "audio":
      return { audioMessage: { ...file, ptt: false } };
    case "voice":
      return { audioMessage: { ...file, ptt: true, seconds: 3 } };
    case "document": {
      const documentMessage = { ...file, fileName, title: fileName, caption };
      // As phones do: a document with a caption is wrapped.
      return caption === undefined
        ? { documentMessage }
        : { documentWithCaptionMessage: { message: { documentMessage } } };
    }
    case "sticker":
      return { stickerMessage: file };
  }
}

function contextOf({ quoted }: Composing): proto.IContextInfo | undefined {
  if (quoted === null) return undefined;
  const { messageId, participant, message } = quoted;
  return { stanzaId: messageId, participant, quotedMessage: message };
}

function vcardOf({ name, phones }: { name: string; phones: readonly string[] }): string {
  const lines = phones.map((phone) => `TEL;type=CELL;waid=${phone.replaceAll(/\D/g, "")}:${phone}`);
  return ["BEGIN:VCARD", "VERSION:3.0", `N:;${name};;;`, `FN:${name}`, ...lines, "END:VCARD"].join(
    "\n",
  );
}
