// What all parts of one stand-in share.
import type { Clock } from "../clock.ts";
import type { Changes } from "./changes.ts";
import type { Chats } from "./chats.ts";
import type { Delivery } from "./delivery.ts";
import type { Faults } from "./faults.ts";
import type { Lanes } from "./lanes.ts";
import type { MediaShelf } from "./media-shelf.ts";
import type { Outbox } from "./outbox.ts";
import type { PairingDesk } from "./pairing.ts";
import type { Phones } from "./phones.ts";
import type { WireRecord } from "./record.ts";
import type { Counts, Seen } from "./seen.ts";
import type { Trust } from "./trust.ts";

export interface World {
  readonly clock: Clock;
  readonly trust: Trust;
  readonly phones: Phones;
  readonly chats: Chats;
  readonly outbox: Outbox;
  readonly media: MediaShelf;
  readonly delivery: Delivery;
  readonly pairing: PairingDesk;
  /** What devices of the stand-in have decrypted already. */
  readonly seen: Seen;
  /** How often a device asked again for a message. */
  readonly retries: Counts;
  /** Keeps what one phone sends in order. */
  readonly lanes: Lanes;
  readonly record: WireRecord;
  readonly faults: Faults;
  readonly changes: Changes;
  readonly log: (line: string) => void;
  /** What was changed has to be kept. */
  touch(): void;
}
