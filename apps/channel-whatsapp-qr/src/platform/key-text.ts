// Baileys' keys as texts that can be kept, and back.
import { BufferJSON, proto } from "@whiskeysockets/baileys";
import type { AuthenticationCreds, SignalDataTypeMap } from "@whiskeysockets/baileys";

export type KeyType = keyof SignalDataTypeMap;

/** What is kept of a key or of the credentials. */
export function writeText(value: unknown): string {
  return JSON.stringify(value, BufferJSON.replacer);
}

export function readCredentials(text: string): AuthenticationCreds {
  const value: unknown = JSON.parse(text, BufferJSON.reviver);
  // Only what `writeText` wrote of them is kept under their name.
  return value as AuthenticationCreds;
}

/** Reads a key that `writeText` wrote; a fresh object each time, since Baileys changes what it is given. */
export function readKey<Type extends KeyType>(type: Type, text: string): SignalDataTypeMap[Type] {
  const value: unknown = JSON.parse(text, BufferJSON.reviver);
  // Its bytes were written by its own rules.
  const key =
    type === "app-state-sync-key" && typeof value === "object"
      ? proto.Message.AppStateSyncKeyData.fromObject({ ...value })
      : value;
  // A key's type stands in its name.
  return key as SignalDataTypeMap[Type];
}
