// Makes WhatsApp's messages of what is to be said; files are encrypted and uploaded on the way.
import { Readable } from "node:stream";
import { generateWAMessageContent } from "@whiskeysockets/baileys";
import type { AnyMessageContent } from "@whiskeysockets/baileys";
import type { ConnectorLog } from "@thikaa/connector-kit";
import type { MediaKind } from "@thikaa/schema";
import { quietLogger } from "./log.ts";
import type { ContextInfo, WhatsAppMessage } from "./message.ts";
import type { WhatsAppSocket } from "./socket.ts";

/** A message in a chat, of our own side or the other. */
export interface MessageKey {
  readonly remoteJid: string;
  readonly fromMe: boolean;
  readonly id: string;
}

/** What is to be said. */
export type Saying =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "media";
      readonly media: MediaKind;
      readonly bytes: AsyncIterable<Uint8Array>;
      readonly mime: string;
      readonly name: string;
      readonly caption: string | null;
    }
  | {
      readonly kind: "location";
      readonly latitude: number;
      readonly longitude: number;
      readonly name: string | null;
      readonly address: string | null;
    }
  | { readonly kind: "contact"; readonly displayName: string; readonly vcard: string }
  /** `caption` is the kind of file under which the words stand; `null` where they stand alone. */
  | {
      readonly kind: "edit";
      readonly key: MessageKey;
      readonly text: string;
      readonly caption: "image" | "video" | "document" | null;
    }
  | { readonly kind: "delete"; readonly key: MessageKey }
  /** `null` takes our reaction back. */
  | { readonly kind: "react"; readonly key: MessageKey; readonly emoji: string | null };

/** Which message this one answers. */
export interface Quoted {
  readonly id: string;
  /** Who wrote it. */
  readonly participant: string;
  readonly text: string;
}

const uploadTimeoutMs = 120_000;

export async function compose(
  { socket, log }: { socket: WhatsAppSocket; log: ConnectorLog },
  saying: Saying,
  quoted: Quoted | null,
): Promise<WhatsAppMessage> {
  const message = await generateWAMessageContent(contentOf(saying), {
    logger: quietLogger(log),
    upload: (path, options) => socket.baileys.waUploadToServer(path, options),
    mediaUploadTimeoutMs: uploadTimeoutMs,
  });
  if (saying.kind === "edit" && saying.caption !== null && message.protocolMessage)
    message.protocolMessage.editedMessage = {
      [`${saying.caption}Message`]: { caption: saying.text },
    };
  return quoted === null ? message : answering(message, quoted);
}

function contentOf(saying: Saying): AnyMessageContent {
  switch (saying.kind) {
    case "text":
      // Nothing is fetched for a preview: addresses in texts are anybody's.
      return { text: saying.text, linkPreview: null };
    case "media":
      return fileContent(saying);
    case "location": {
      const { latitude: degreesLatitude, longitude: degreesLongitude, name, address } = saying;
      return { location: { degreesLatitude, degreesLongitude, name, address } };
    }
    case "contact": {
      const { displayName, vcard } = saying;
      return { contacts: { displayName, contacts: [{ displayName, vcard }] } };
    }
    case "edit":
      return { text: saying.text, linkPreview: null, edit: saying.key };
    case "delete":
      return { delete: saying.key };
    case "react":
      return { react: { key: saying.key, text: saying.emoji ?? "" } };
  }
}

function fileContent({
  media,
  bytes,
  mime: mimetype,
  name: fileName,
  caption,
}: Extract<Saying, { kind: "media" }>): AnyMessageContent {
  const file = { stream: Readable.from(bytes) };
  const words = caption === null ? {} : { caption };
  switch (media) {
    case "image":
      return { image: file, mimetype, ...words };
    case "video":
      // With a picture given, none is made by calling another program.
      return { video: file, mimetype, jpegThumbnail: "", ...words };
    case "audio":
      return { audio: file, mimetype };
    case "voice":
      return { audio: file, mimetype, ptt: true };
    case "sticker":
      return { sticker: file, mimetype };
    case "document":
      return { document: file, mimetype, fileName, ...words };
  }
}

/** Each kind carries what it refers to in its own field. */
function answering(message: WhatsAppMessage, quoted: Quoted): WhatsAppMessage {
  const contextInfo: ContextInfo = {
    stanzaId: quoted.id,
    participant: quoted.participant,
    quotedMessage: { conversation: quoted.text },
  };
  for (const [name, value] of Object.entries(message))
    if (name !== "messageContextInfo" && typeof value === "object" && value !== null)
      Object.assign(value, { contextInfo });
  return message;
}
