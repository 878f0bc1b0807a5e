// Baileys' keys as texts that can be kept, and back.
import { BufferJSON, proto } from "@whiskeysockets/baileys";
import type { AuthenticationCreds, SignalDataTypeMap } from "@whiskeysockets/baileys";

export type KeyType = keyof SignalDataTypeMap;

/** What is kept of a key or of the credentials. */
export function writeText(value: unknown): string {
  return JSON.stringify(value, BufferJSON.replacer);
}

export function readCredentials(text: string): AuthenticationCreds {
  const value: unknown = JSON.parse(text, ownBytes);
  // Only what `writeText` wrote of them is kept under their name.
  return value as AuthenticationCreds;
}

/** Reads a key that `writeText` wrote; a fresh object each time, since Baileys changes what it is given. */
export function readKey<Type extends KeyType>(type: Type, text: string): SignalDataTypeMap[Type] {
  const value = parse(text);
  // Its bytes were written by its own rules.
  const key =
    type === "app-state-sync-key" && typeof value === "object"
      ? proto.Message.AppStateSyncKeyData.fromObject({ ...value })
      : value;
  // A key's type stands in its name.
  return key as SignalDataTypeMap[Type];
}

/** Credentials live as long as their socket: in the room that small buffers share they would hold on to all that lies beside them. */
function ownBytes(name: string, value: unknown): unknown {
  const read: unknown = BufferJSON.reviver(name, value);
  return Buffer.isBuffer(read) ? Buffer.from(Uint8Array.from(read).buffer) : read;
}

/** What has no bytes in it, as ratchets have none, is read many times faster than where each value is looked at for them. */
function parse(text: string): unknown {
  return text.includes(bytesMark) ? JSON.parse(text, BufferJSON.reviver) : JSON.parse(text);
}

/** As `BufferJSON` writes bytes. */
const bytesMark = '"type":"Buffer"';
