// What the WhatsApp Web stand-in offers to tests and to the simulator.
import type { Clock } from "../clock.ts";
import type { WhatsAppWebChange } from "./changes.ts";
import type { ChatMessage } from "./chat-message.ts";
import type { PhoneContent } from "./content.ts";
import type { Faults } from "./faults.ts";
import type { WireRecord } from "./record.ts";

/** How to start it. `port` 0 takes a free one; `log` gets one line per event, without keys or texts. */
export interface WhatsAppWebStandInOptions {
  host?: string | undefined;
  port?: number | undefined;
  /** Who has WhatsApp at the start. Left out: customer Zainab alone. */
  phones?: readonly NewPhone[] | undefined;
  /**
   * A file that keeps phones, linked devices, ratchets and what waits for delivery, so that linked devices outlive a
   * restart. Left out: all is forgotten with the process. What is in it goes before `phones`.
   */
  stateFile?: string | undefined;
  log?: ((line: string) => void) | undefined;
}

/** A person or a business with WhatsApp on a phone. Both ends of a conversation are phones; any of them can be paired. */
export interface NewPhone {
  /** Digits with the country code, as in "9647700000001". */
  number: string;
  name?: string | undefined;
  /** Digits; made from the number when left out. */
  lid?: string | undefined;
  /** How many devices of its own it has: the phone itself and, above 1, computers of the stand-in. 1 when left out. */
  devices?: number | undefined;
}

/** How a phone behaves. */
export interface PhoneSettings {
  /** Off: nothing reaches it, nothing is receipted; what waits comes when it is switched on. */
  online: boolean;
  /** Whether its devices ask again, by a retry receipt, for what they can't decrypt. */
  retries: boolean;
  /** Whether what reaches it is marked as read at once. */
  readsAtOnce: boolean;
  /** Whether what it writes by its LID comes without its phone number, as from people who hide it. */
  hidesNumber: boolean;
  /** Whether its owner lets others see what was read: off, linked clients must tell the phone alone (`read-self`). */
  readReceipts: boolean;
}

/** A client that was paired with a phone. */
export interface LinkedDevice {
  /** 1 and above; a number is never given twice by one phone. */
  device: number;
  /** As the client knows itself: `9647…:1@s.whatsapp.net`. */
  jid: string;
  /** As it called itself when it paired: `Mac OS, CHROME`. */
  platform: string;
  connected: boolean;
  /** One-time keys that the server still has of it. */
  preKeys: number;
  /** What was sent to it, or waits for it, and was not receipted yet. */
  pending: number;
  /** How often it logged in. */
  openings: number;
  /** How often it logged in while it was connected: two owners at once. */
  conflicts: number;
}

/** A phone as others see it. */
export interface Phone extends PhoneSettings {
  number: string;
  /** `9647700000001@s.whatsapp.net` */
  jid: string;
  /** `1000…@lid` */
  lid: string;
  name: string;
  linked: LinkedDevice[];
}

/** What a phone sends. `to` is a number, or the id of a group. */
export interface PhoneMessage {
  from: string;
  to: string;
  content: PhoneContent;
  /** The id of a message of the same chat. */
  replyTo?: string | undefined;
  /** Whether the receiver sees the LID or the phone number of the sender; `lid` when left out, as most are today. */
  addressing?: "lid" | "pn" | undefined;
  /** Which of its own devices sends; 0, the phone itself, when left out. */
  device?: number | undefined;
  /** Its id; made up when left out. */
  messageId?: string | undefined;
  /** Sends it so that no device of the receiver can decrypt it; asked again, it is sent well. */
  garbled?: boolean | undefined;
}

/** A group; the linked devices of its members get what is written in it. */
export interface NewGroup {
  subject: string;
  /** Numbers; the first one owns it. */
  members: readonly string[];
}

/** Which connection is meant; without `device` every linked device of the phone. */
export interface LinkedDeviceOf {
  phone: string;
  device?: number | undefined;
}

/** How the stand-in ends a connection, and the code that Baileys makes of it. */
export type Ending =
  /** 428: the TCP connection is reset. */
  | { by: "reset" }
  /** 428: the server says goodbye. */
  | { by: "stream_end" }
  /** 440 */
  | { by: "replaced" }
  /** 411 */
  | { by: "downgrade" }
  /** That code: 500, 503, 515 and others. */
  | { by: "stream_error"; code: number };

/** A running server. Several run beside each other in one process and share nothing. */
export interface WhatsAppWebStandIn {
  /** Where it listens, without a slash at the end; https works on the same port. */
  readonly url: string;
  /** The `waWebSocketUrl` of clients. */
  readonly socketUrl: string;
  /** 32 bytes: what a client that checks the server's chain has to trust as `WA_CERT_DETAILS.PUBLIC_KEY`. */
  readonly rootPublicKey: Uint8Array;
  /** PEM: what a client has to trust as authority for https on this port (`ca`, NODE_EXTRA_CA_CERTS). */
  readonly certificate: string;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly record: WireRecord;

  /** Adds a phone; one that is there already keeps its keys, LID and linked devices and takes the name. */
  addPhone(phone: NewPhone): Phone;
  phones(): Phone[];
  /** Throws when there is none of this number. */
  phone(number: string): Phone;
  setPhone(number: string, settings: Partial<PhoneSettings>): void;

  /**
   * The phone scans what a QR code says. Resolves when the client has been told and has signed; it then logs in anew.
   * Rejects, in words, when the code is not one of an open client, is used up or was retired.
   */
  scan(scanned: { phone: string; qr: string }): Promise<LinkedDevice>;
  /** The phone's owner types the eight characters that a client shows; otherwise as `scan`. */
  enterCode(entered: { phone: string; code: string }): Promise<LinkedDevice>;
  /** Tells the client that shows this QR that its secret is retired (`companion_reg_refresh`); the QR is dead from now on. */
  refreshPairing(qr: string): void;
  /** Ends every client that shows a code: its codes have expired. 428 to the client. */
  expireCodes(): void;
  /**
   * The phone's owner removes the device, and it can't log in again. 401; `withoutCode`, as the server does now and then,
   * 440 with `device_removed` in its data.
   */
  unlink(which: LinkedDeviceOf & { withoutCode?: boolean | undefined }): void;
  /** Ends the connections that are open. */
  disconnect(which: LinkedDeviceOf & Ending): void;

  /** A phone writes, to one that may be linked. Resolves when it is encrypted and on its way, or kept for later. */
  send(message: PhoneMessage): Promise<{ messageId: string }>;
  /** The owner of `phone` reads what the other side wrote; all that is unread when no ids are given. */
  read(read: { phone: string; chat: string; messageIds?: readonly string[] | undefined }): void;
  /** The owner of `phone` types, records or stops. */
  type(typing: { phone: string; to: string; state: "composing" | "recording" | "paused" }): void;
  /** The phone loses its ratchets with the other, as after a reinstallation that kept its identity. */
  forgetSessions(between: { phone: string; with: string }): void;
  /**
   * WhatsApp is installed anew on the phone: new keys, no ratchets, no linked devices. Everybody's linked clients are told
   * that its identity has changed.
   */
  reinstall(phone: string): void;
  /** Resolves when nothing waits for `phone`'s linked devices and nothing that came from them is still in work. */
  settled(phone: string, withinMs?: number): Promise<void>;

  addGroup(group: NewGroup): { id: string };
  /** A chat as `phone` shows it, oldest first; `chat` is a number or the id of a group. */
  messages(phone: string, chat: string): ChatMessage[];
  /** The bytes of a message's media, decrypted; null when there are none or they were never uploaded. */
  media(phone: string, messageId: string): Uint8Array | null;

  /** Calls the listener for everything that happens; the returned function ends it. */
  onChange(listener: (change: WhatsAppWebChange) => void): () => void;
  /** Stops listening, ends every connection and all timers, and writes the state file. */
  close(): Promise<void>;
}
