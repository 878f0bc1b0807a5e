// WhatsApp wraps messages: copies of what another device sent, disappearing ones, those to be seen once. What is said lies inside.
import { readMessage } from "../platform/message.ts";
import type { ContextInfo, WhatsAppMessage } from "../platform/message.ts";

/** Deeper than anything that WhatsApp makes. */
const deepest = 8;

/** What may lie around a message, and is nothing that is said. */
const envelopeFields: readonly string[] = [
  "messageContextInfo",
  "senderKeyDistributionMessage",
  "deviceSentMessage",
];

/** The message of these plaintexts, unwrapped; `null` when they are none. */
export function saidIn(plaintexts: readonly string[]): WhatsAppMessage | null {
  const read = plaintexts.flatMap((text) => readMessage(Buffer.from(text, "base64")) ?? []);
  if (read.length < plaintexts.length || read.length === 0) return null;
  let said: WhatsAppMessage = Object.fromEntries(read.flatMap((one) => Object.entries(one)));
  for (let depth = 0; depth < deepest; depth++) {
    const inner = innerOf(said);
    if (inner === null) return said;
    said = inner;
  }
  return said;
}

function innerOf(message: WhatsAppMessage): WhatsAppMessage | null {
  const wrapper =
    message.deviceSentMessage ??
    message.ephemeralMessage ??
    message.viewOnceMessage ??
    message.viewOnceMessageV2 ??
    message.viewOnceMessageV2Extension ??
    message.documentWithCaptionMessage ??
    message.editedMessage ??
    message.groupMentionedMessage ??
    message.botInvokeMessage;
  return wrapper?.message ?? null;
}

/** WhatsApp's word for what a message says: its first field that says something. */
export function wordOf(message: WhatsAppMessage): string {
  const fields = Object.entries(message).filter(
    ([name, value]) => value !== null && value !== undefined && !envelopeFields.includes(name),
  );
  return fields[0]?.[0] ?? "unknown";
}

/** What a message refers to: each kind carries it in its own field. */
export function contextOf(message: WhatsAppMessage): ContextInfo | null {
  for (const value of Object.values(message))
    if (isHolder(value) && value.contextInfo !== null && value.contextInfo !== undefined)
      return value.contextInfo;
  return null;
}

function isHolder(value: unknown): value is { contextInfo?: ContextInfo | null } {
  return typeof value === "object" && value !== null && "contextInfo" in value;
}
