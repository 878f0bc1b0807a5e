// What the stand-in's own devices sent, kept for those who ask again.
import type { proto } from "@whiskeysockets/baileys";

/** A message as it was meant. `forOwn` is the form that goes to other devices of the sender. */
export interface OutboxEntry {
  messageId: string;
  from: { number: string; device: number };
  /** Number of the other phone, or the id of the group. */
  to: string;
  message: proto.IMessage;
  forOwn: proto.IMessage;
  addressing: "lid" | "pn";
  /** `type`, `edit` and `mediatype` of its stanza. */
  type: string;
  edit: string | undefined;
  mediaType: string | undefined;
}

/** Entries kept; whoever asks later than that asks in vain. */
const MOST_ENTRIES = 5_000;

export class Outbox {
  readonly #entries = new Map<string, OutboxEntry>();

  add(entry: OutboxEntry): void {
    this.#entries.set(`${entry.from.number}/${entry.messageId}`, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST_ENTRIES) break;
      this.#entries.delete(oldest);
    }
  }

  find(number: string, messageId: string): OutboxEntry | null {
    return this.#entries.get(`${number}/${messageId}`) ?? null;
  }
}
