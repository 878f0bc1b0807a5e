// What all conversions share: an empty message, a notice, and Telegram's time as ours.
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

/** `reason` is ours, `rawType` Telegram's word. */
export function notice(reason: string, rawType: string | null): Converted {
  return { kind: "notice", reason, raw_type: rawType };
}

/** `null` for a time that is none: a message that Telegram no longer shows has the time 0. */
export function isoTime(seconds: number | undefined): string | null {
  if (seconds === undefined || seconds <= 0 || seconds > 8_640_000_000_000) return null;
  return new Date(seconds * 1000).toISOString();
}
