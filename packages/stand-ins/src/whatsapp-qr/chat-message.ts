// One message of a chat, as a phone shows it.
import type { PhoneContent } from "./content.ts";

/** A message as it lies in a chat, whichever side wrote it. */
export interface ChatMessage {
  messageId: string;
  /** Number of the phone that wrote it. */
  from: string;
  /** Which device of that phone wrote it: above 0 is mostly a linked one. */
  device: number;
  /** Number of the other phone, or the id of the group. */
  to: string;
  /** Milliseconds since 1970 by the stand-in's clock. */
  at: number;
  /** As decrypted; null while nobody could. An edit replaces it, a deletion makes it null and sets `deleted`. */
  content: PhoneContent | null;
  replyTo: string | null;
  edited: boolean;
  deleted: boolean;
  /** The other side's reaction. */
  reaction: string | null;
  /** The reaction of the side that wrote it. */
  ownReaction: string | null;
  /** Of a message to a phone with linked clients, what one of those clients receipted. */
  status: "sent" | "delivered" | "read";
}
