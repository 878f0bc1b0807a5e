// The record of what clients did, decrypted: tests judge delivery by it, not by what clients say.
import type { proto } from "@whiskeysockets/baileys";

/** What one device of a receiver made of a message. */
export interface DecryptedCopy {
  /** As the client addressed it: `9647…@s.whatsapp.net`, `1000…:2@lid`. */
  to: string;
  /** `pkmsg` opens a ratchet, `msg` goes on with it, `skmsg` is a group's. */
  type: string;
  /** As decrypted, in WhatsApp's own structure; null when that failed, or the copy is for another linked client. */
  message: proto.IMessage | null;
  /** Why it could not be decrypted. */
  error: string | null;
  /** It was decrypted before under the same id: shown once, counted here. */
  repeated: boolean;
}

/** What a client did, or what happened to its connection. */
export type Recorded =
  /** It logged in; `conflict`: while it was connected already. */
  | { kind: "opened"; conflict: boolean }
  | { kind: "refused"; reason: number }
  /** `reason`: "left" when the client went, else how the stand-in ended it. */
  | { kind: "closed"; reason: string }
  | { kind: "paired"; by: "qr" | "code" }
  | {
      kind: "message";
      messageId: string;
      to: string;
      /** Of the copies, the first that could be read; a copy for an own device is unwrapped. */
      message: proto.IMessage | null;
      copies: DecryptedCopy[];
      /** `edit` of the stanza: "1" edits, "7" deletes. */
      edit: string | null;
      /** It answers a retry receipt. */
      resent: boolean;
      /** The error of the server's acknowledgement: nobody got the message then. */
      refused: number | null;
      attributes: Record<string, string>;
    }
  | {
      kind: "receipt";
      messageIds: string[];
      to: string;
      /** "delivered", or the stanza's type: read, read-self, inactive, sender, peer_msg, hist_sync, retry… */
      type: string;
      /** Of a retry. */
      count: number | null;
    }
  /** An acknowledgement of a message, a receipt or a notification; `error` is a refusal. */
  | { kind: "ack"; of: string; messageId: string; error: number | null }
  | { kind: "presence"; type: string }
  | { kind: "typing"; to: string; state: "composing" | "recording" | "paused" }
  /** A question of the client: `encrypt get key`. */
  | { kind: "query"; about: string; answered: boolean }
  | { kind: "upload" | "download"; mediaKind: string; bytes: number; status: number };

export type RecordedEntry = Recorded & {
  /** Counts up from 1. */
  n: number;
  /** Milliseconds since 1970 by the stand-in's clock. */
  at: number;
  /** Number of the phone; null before it is known. */
  phone: string | null;
  device: number | null;
};

/** Which entries are wanted; what is left out matches everything. */
export interface RecordFilter<Kind extends Recorded["kind"] = Recorded["kind"]> {
  kind?: Kind | undefined;
  phone?: string | undefined;
  device?: number | undefined;
  messageId?: string | undefined;
  /** Only entries later than this number. */
  after?: number | undefined;
}

/** Entries kept; the oldest go first. Far above what a test makes, so that a sandbox can run for months. */
const MOST_ENTRIES = 200_000;

/** The record of one stand-in. */
export class WireRecord {
  readonly #now: () => number;
  readonly #watchers = new Set<() => void>();
  #entries: RecordedEntry[] = [];
  #nextNumber = 1;
  #looking = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The entries that match, oldest first. */
  entries<Kind extends Recorded["kind"]>(
    filter: RecordFilter<Kind> = {},
  ): Extract<RecordedEntry, { kind: Kind }>[] {
    return this.#entries.filter((entry): entry is Extract<RecordedEntry, { kind: Kind }> =>
      matches(entry, filter),
    );
  }

  /** Resolves when `condition` holds; it is looked at after every change. Rejects after `withinMs` of real time. */
  until(condition: () => boolean, withinMs = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!condition()) return;
      clearTimeout(deadline);
      this.#watchers.delete(look);
      resolve();
    };
    const deadline = setTimeout(() => {
      this.#watchers.delete(look);
      reject(new Error(`The condition did not hold within ${withinMs} ms.`));
    }, withinMs);
    this.#watchers.add(look);
    look();
    return promise;
  }

  /** Forgets all that was recorded; numbers go on. */
  clear(): void {
    this.#entries = [];
  }

  /** Notes one thing. */
  add(who: { phone: string | null; device: number | null }, recorded: Recorded): RecordedEntry {
    const entry = { n: this.#nextNumber, at: this.#now(), ...who, ...recorded };
    this.#nextNumber += 1;
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.splice(0, MOST_ENTRIES / 10);
    this.changed();
    return entry;
  }

  /** Says that something a test may wait for has changed. Waiters look once per turn of the loop. */
  changed(): void {
    if (this.#watchers.size === 0 || this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      for (const look of this.#watchers) look();
    });
  }
}

function matches(entry: RecordedEntry, filter: RecordFilter): boolean {
  return (
    (filter.kind === undefined || entry.kind === filter.kind) &&
    (filter.phone === undefined || entry.phone === filter.phone) &&
    (filter.device === undefined || entry.device === filter.device) &&
    (filter.messageId === undefined || idsOf(entry).includes(filter.messageId)) &&
    (filter.after === undefined || entry.n > filter.after)
  );
}

function idsOf(entry: RecordedEntry): string[] {
  if (entry.kind === "receipt") return entry.messageIds;
  return entry.kind === "message" || entry.kind === "ack" ? [entry.messageId] : [];
}
