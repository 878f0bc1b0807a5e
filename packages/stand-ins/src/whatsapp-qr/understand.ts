// Reads what a client says, from WhatsApp's own message structure.
import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { MediaKind, PhoneContent } from "./content.ts";
import type { MediaReference, MessageMedia } from "./media-shelf.ts";

const { Type } = proto.Message.ProtocolMessage;

/** A message, as a phone shows it. */
export interface Understood {
  content: PhoneContent;
  replyTo: string | null;
  media: MessageMedia | null;
}

/** The message inside a copy for the sender's own devices, with the chat it belongs to; else the message itself. */
export function unwrapOwn(message: proto.IMessage): {
  message: proto.IMessage;
  chat: string | null;
} {
  const { deviceSentMessage } = message;
  if (!deviceSentMessage?.message) return { message, chat: null };
  return { message: deviceSentMessage.message, chat: deviceSentMessage.destinationJid ?? null };
}

export function understand(wrapped: proto.IMessage): Understood {
  const message = normalizeMessageContent(wrapped) ?? {};
  const file = mediaIn(message);
  return {
    content: file?.content ?? plainContent(message),
    replyTo: contextIn(message)?.stanzaId ?? null,
    media: file === null ? null : { kind: file.content.kind, reference: file.reference },
  };
}

function plainContent(message: proto.IMessage): PhoneContent {
  const { conversation, extendedTextMessage, locationMessage, contactMessage } = message;
  const text = conversation ?? extendedTextMessage?.text;
  if (typeof text === "string") return { kind: "text", text };
  if (locationMessage)
    return {
      kind: "location",
      latitude: locationMessage.degreesLatitude ?? 0,
      longitude: locationMessage.degreesLongitude ?? 0,
      name: locationMessage.name ?? undefined,
      address: locationMessage.address ?? undefined,
    };
  if (contactMessage) {
    const phones = [...(contactMessage.vcard ?? "").matchAll(/^TEL[^:]*:(.+)$/gm)];
    return {
      kind: "contact",
      name: contactMessage.displayName ?? "",
      phones: phones.map(([, phone = ""]) => phone.trim()),
    };
  }
  return aboutAnother(message) ?? { kind: "other", message };
}

function aboutAnother({ reactionMessage, protocolMessage }: proto.IMessage): PhoneContent | null {
  if (reactionMessage)
    return {
      kind: "reaction",
      messageId: reactionMessage.key?.id ?? "",
      emoji: reactionMessage.text || null,
    };
  const messageId = protocolMessage?.key?.id ?? "";
  if (protocolMessage?.type === Type.REVOKE && messageId !== "")
    return { kind: "delete", messageId };
  if (protocolMessage?.type !== Type.MESSAGE_EDIT) return null;
  const edited = understand(protocolMessage.editedMessage ?? {}).content;
  const text =
    edited.kind === "text" ? edited.text : "caption" in edited ? (edited.caption ?? "") : "";
  return { kind: "edit", messageId, text };
}

type FileMessage = {
  url?: string | null;
  directPath?: string | null;
  mediaKey?: Uint8Array | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  mimetype?: string | null;
};

function mediaIn(message: proto.IMessage): {
  content: Extract<PhoneContent, { kind: MediaKind }>;
  reference: Partial<MediaReference>;
} | null {
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = message;
  const read = (
    kind: MediaKind,
    file: FileMessage,
    more: { name?: string | undefined; caption?: string | undefined } = {},
  ) => ({
    content: { kind, mime: file.mimetype ?? undefined, ...more },
    reference: {
      url: file.url ?? "",
      directPath: file.directPath ?? "",
      ...(file.mediaKey ? { mediaKey: file.mediaKey } : {}),
      ...(file.fileSha256 ? { fileSha256: file.fileSha256 } : {}),
    },
  });
  if (imageMessage)
    return read("image", imageMessage, { caption: imageMessage.caption ?? undefined });
  if (videoMessage)
    return read("video", videoMessage, { caption: videoMessage.caption ?? undefined });
  if (audioMessage) return read(audioMessage.ptt ? "voice" : "audio", audioMessage);
  if (stickerMessage) return read("sticker", stickerMessage);
  if (!documentMessage) return null;
  const { fileName, caption } = documentMessage;
  return read("document", documentMessage, {
    name: fileName ?? undefined,
    caption: caption ?? undefined,
  });
}

type Answering = { contextInfo?: proto.IContextInfo | null };

function contextIn(message: proto.IMessage): proto.IContextInfo | null {
  const parts: (Answering | null | undefined)[] = [
    message.extendedTextMessage,
    message.imageMessage,
    message.videoMessage,
    message.audioMessage,
    message.documentMessage,
    message.stickerMessage,
    message.locationMessage,
    message.contactMessage,
  ];
  return parts.find((part) => part?.contextInfo)?.contextInfo ?? null;
}
