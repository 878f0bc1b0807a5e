// WhatsApp's message structure: read from and written to bytes.
import { proto } from "@whiskeysockets/baileys";

/** A message as WhatsApp structures it: one of its fields is what is said. */
export type WhatsAppMessage = proto.IMessage;
export type ContextInfo = proto.IContextInfo;

export const protocolTypes = {
  delete: proto.Message.ProtocolMessage.Type.REVOKE,
  edit: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
} as const;

/** `null` when the bytes are none. */
export function readMessage(bytes: Uint8Array): WhatsAppMessage | null {
  try {
    return proto.Message.decode(bytes);
  } catch {
    return null;
  }
}

export function writeMessage(message: WhatsAppMessage): Uint8Array {
  return proto.Message.encode(proto.Message.create(message)).finish();
}
