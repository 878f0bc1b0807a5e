// What a WhatsApp message says, in the words of the shared schema.
import type { InboundMessage } from "@thikaa/schema";
import { protocolTypes } from "../platform/message.ts";
import type { WhatsAppMessage } from "../platform/message.ts";
import { mediaOf } from "./media.ts";
import { contextOf, wordOf } from "./unwrap.ts";

export type Content = Pick<InboundMessage, "type"> &
  Partial<
    Pick<
      InboundMessage,
      | "raw_type"
      | "text"
      | "media"
      | "location"
      | "contacts"
      | "button"
      | "reaction"
      | "reply_to"
      | "edited"
      | "album_id"
    >
  > & {
    /** The id of the message that it changes. */
    readonly target?: string;
  };

/** Every kind that says nothing of its own to us is `unsupported`, with WhatsApp's word for it. */
export function contentOf(message: WhatsAppMessage): Content {
  const content =
    changeOf(message) ?? pressOf(message) ?? fileOf(message) ?? otherOf(message) ?? textOf(message);
  const answered = contextOf(message)?.stanzaId;
  return {
    ...(content ?? { type: "unsupported", raw_type: wordOf(message) }),
    ...(answered && content?.reply_to === undefined ? { reply_to: answered } : {}),
  };
}

function textOf({ conversation, extendedTextMessage }: WhatsAppMessage): Content | null {
  const text = conversation || extendedTextMessage?.text;
  return text ? { type: "text", text } : null;
}

function fileOf(message: WhatsAppMessage): Content | null {
  const found = mediaOf(message);
  if (found === null) return null;
  const album = message.messageContextInfo?.messageAssociation?.parentMessageKey?.id;
  return {
    type: found.media.type,
    text: found.caption,
    media: [found.media],
    ...(album ? { album_id: album } : {}),
  };
}

/** New words for a message, or its end. */
function changeOf({ protocolMessage }: WhatsAppMessage): Content | null {
  const target = protocolMessage?.key?.id;
  if (!protocolMessage || !target) return null;
  if (protocolMessage.type === protocolTypes.delete) return { type: "delete", target };
  if (protocolMessage.type !== protocolTypes.edit) return null;
  const { editedMessage } = protocolMessage;
  const said = editedMessage ? contentOf(editedMessage) : null;
  return { type: "edit", target, edited: true, text: said?.text ?? null };
}

function pressOf(message: WhatsAppMessage): Content | null {
  const { buttonsResponseMessage, templateButtonReplyMessage } = message;
  const { listResponseMessage, interactiveResponseMessage } = message;
  if (buttonsResponseMessage)
    return pressed(
      buttonsResponseMessage.selectedButtonId,
      buttonsResponseMessage.selectedDisplayText,
    );
  if (templateButtonReplyMessage)
    return pressed(
      templateButtonReplyMessage.selectedId,
      templateButtonReplyMessage.selectedDisplayText,
    );
  if (listResponseMessage)
    return pressed(listResponseMessage.singleSelectReply?.selectedRowId, listResponseMessage.title);
  const flow = interactiveResponseMessage?.nativeFlowResponseMessage;
  return flow ? pressed(flowId(flow.paramsJson), interactiveResponseMessage?.body?.text) : null;
}

function pressed(id: string | null | undefined, title: string | null | undefined): Content {
  return {
    type: "button_reply",
    text: title || null,
    button: { id: id || title || "", title: title || null },
  };
}

function flowId(parameters: string | null | undefined): string | null {
  return /"id"\s*:\s*"([^"]*)"/.exec(parameters ?? "")?.[1] ?? null;
}

function otherOf(message: WhatsAppMessage): Content | null {
  const { reactionMessage, contactMessage, contactsArrayMessage } = message;
  const target = reactionMessage?.key?.id;
  if (reactionMessage && target)
    return {
      type: "reaction",
      reaction: { emoji: reactionMessage.text || null, provider_message_id: target },
    };
  const place = placeOf(message);
  if (place !== null) return { type: "location", location: place };
  const cards = contactMessage ? [contactMessage] : (contactsArrayMessage?.contacts ?? []);
  if (cards.length === 0) return null;
  return {
    type: "contact",
    contacts: cards.map(({ displayName, vcard }) => ({
      name: displayName || null,
      phones: phonesOf(vcard ?? ""),
    })),
  };
}

function placeOf({ locationMessage, liveLocationMessage }: WhatsAppMessage): Content["location"] {
  const place = locationMessage ?? liveLocationMessage;
  const latitude = place?.degreesLatitude ?? Number.NaN;
  const longitude = place?.degreesLongitude ?? Number.NaN;
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return null;
  return {
    latitude,
    longitude,
    name: locationMessage?.name || null,
    address: locationMessage?.address || null,
  };
}

/** WhatsApp writes the number as it dials it into `waid`, and as its owner wrote it behind the colon. */
function phonesOf(vcard: string): string[] {
  return [...vcard.matchAll(/^(?:[\w-]+\.)?TEL([^:\r\n]*):(.*)$/gim)].map(
    ([, parameters = "", written = ""]) => /waid=(\d+)/i.exec(parameters)?.[1] ?? written.trim(),
  );
}
