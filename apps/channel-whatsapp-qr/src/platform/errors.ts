// WhatsApp's refusals of a message, and what each means for it and for the connection.
import type { MessageReason } from "@thikaa/schema";

/** What a refusal means. */
export type Refusal =
  /** This message is refused for good. */
  | { readonly kind: "rejected"; readonly reason: MessageReason }
  /** The account may not write first just now; those it knows it may write to. */
  | { readonly kind: "no_first_contacts"; readonly reason: MessageReason }
  /** Too much at once: everything waits. */
  | { readonly kind: "too_much"; readonly reason: MessageReason }
  /** The devices of the recipient have changed: with fresh ones it may go. */
  | { readonly kind: "stale_devices"; readonly reason: MessageReason }
  /** The server can't just now. */
  | { readonly kind: "unavailable"; readonly reason: MessageReason };

interface Row {
  readonly kind: Refusal["kind"];
  readonly code: string;
  readonly message: string;
}

const rows: Readonly<Record<string, Row>> = {
  "403": {
    kind: "too_much",
    code: "sending_forbidden",
    message: "WhatsApp does not let this number send just now. Sending pauses by itself.",
  },
  "429": {
    kind: "too_much",
    code: "provider_rate_limit",
    message: "WhatsApp says that this number sends too much. Sending pauses by itself.",
  },
  "463": {
    kind: "no_first_contacts",
    code: "first_contact_refused",
    message:
      "WhatsApp does not let this number write to people who have not written first, for some time. Trying again makes it longer.",
  },
  "479": {
    kind: "stale_devices",
    code: "recipient_changed",
    message: "The recipient's devices have changed. It is tried again with the new ones.",
  },
  "500": {
    kind: "unavailable",
    code: "provider_unavailable",
    message: "WhatsApp could not take the message just now.",
  },
  "503": {
    kind: "unavailable",
    code: "provider_unavailable",
    message: "WhatsApp could not take the message just now.",
  },
};

const anyRefusal: Row = {
  kind: "rejected",
  code: "provider_refused",
  message: "WhatsApp refuses this message.",
};

/** `code` is WhatsApp's number. One that nobody knows refuses the message for good. */
export function refusalOf(code: string): Refusal {
  const row = Object.hasOwn(rows, code) ? rows[code] : undefined;
  const { kind, code: ours, message } = row ?? anyRefusal;
  return { kind, reason: { code: ours, message, provider_code: code, provider_message: null } };
}
