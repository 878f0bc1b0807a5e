// What all conversions share: an empty message, a notice, and WhatsApp's time as ours.
import type { Converted, InboundMessage } from "@thikaa/schema";

export const emptyMessage: Omit<InboundMessage, "from" | "contact" | "type"> = {
  kind: "message",
  raw_type: null,
  text: null,
  media: [],
  button: null,
  location: null,
  contacts: null,
  reaction: null,
  reply_to: null,
  edited: false,
  provider_message_id: null,
  sent_at: null,
};

/** `reason` is ours, `rawType` WhatsApp's word. */
export function notice(reason: string, rawType: string | null): Converted {
  return { kind: "notice", reason, raw_type: rawType };
}

export function isoTime(seconds: number | null): string | null {
  if (seconds === null || seconds <= 0 || seconds > 8_640_000_000_000) return null;
  return new Date(seconds * 1000).toISOString();
}

/** The value of a JSON text, or `null` when it is none. */
export function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder().decode(text));
  } catch {
    return null;
  }
}
