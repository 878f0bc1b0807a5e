// Nodes and addresses of the wire, in the few forms that the stand-in needs.
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getAllBinaryNodeChildren,
  jidDecode,
  S_WHATSAPP_NET,
} from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";

export type WireNode = BinaryNode;

/** The server's own address: one without a user. */
export const SERVER = S_WHATSAPP_NET;

/** Whose device: a phone by its number or by its LID. */
export interface Address {
  user: string;
  device: number;
  server: "pn" | "lid" | "group";
}

/** A node; attributes that are undefined are left out. */
export function node(
  tag: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  content?: WireNode["content"],
): WireNode {
  const attrs: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) attrs[name] = value;
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

export const childOf = getBinaryNodeChild;
export const childrenOf = getBinaryNodeChildren;
export const allChildrenOf = getAllBinaryNodeChildren;

/** The bytes of a node, or of its child of this tag; empty when there are none. */
export function bytesOf(parent: WireNode | undefined, tag?: string): Buffer {
  const content = (tag === undefined ? parent : childOf(parent, tag))?.content;
  if (content instanceof Uint8Array) return Buffer.from(content);
  return Buffer.from(typeof content === "string" ? content : "");
}

/** A whole number of a few bytes, big end first. */
export function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** Reads an address; null for anything that is no person, device or group. */
export function addressOf(jid: string | undefined): Address | null {
  const decoded = jidDecode(jid);
  if (decoded === undefined || decoded.user === "") return null;
  const { user, device = 0 } = decoded;
  if (decoded.server === "s.whatsapp.net" || decoded.server === "c.us")
    return { user, device, server: "pn" };
  if (decoded.server === "lid") return { user, device, server: "lid" };
  return decoded.server === "g.us" ? { user, device, server: "group" } : null;
}

/** `9647700000001@s.whatsapp.net`, with `:1` for a device above 0. */
export function pnJid(number: string, device = 0): string {
  return device === 0 ? `${number}@s.whatsapp.net` : `${number}:${device}@s.whatsapp.net`;
}

/** `1000…@lid`, with `:1` for a device above 0. */
export function lidJid(lid: string, device = 0): string {
  return device === 0 ? `${lid}@lid` : `${lid}:${device}@lid`;
}

/** Seconds since 1970, as the wire writes a time. */
export function seconds(milliseconds: number): string {
  return String(Math.floor(milliseconds / 1000));
}
