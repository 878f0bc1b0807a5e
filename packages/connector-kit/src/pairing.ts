// The connector contract, facet: a person links their phone to a connection, by a code that is scanned or typed.
import type { PairingDescription } from "@thikaa/schema";
import type { ConnectorContext } from "./context.ts";

/** What the person has to see now: a text to be drawn as a QR code, or the characters to type on the phone. */
export type ShownCode =
  | { readonly kind: "qr"; readonly text: string; readonly expiresAt: Date }
  | { readonly kind: "code"; readonly code: string; readonly expiresAt: Date };

/** Where a pairing is asked for, and its codes are shown. One for each time `pair` is called. */
export interface PairingDesk {
  /** The number, in digits, of the phone on which a code will be typed; `null` when a code is scanned. */
  readonly phone: string | null;
  /**
   * Shows this code in the place of the one before, to whoever pairs: on a page, in a terminal. Call it for each renewal.
   * Returns at once and never throws. A code lets in whoever sees it: it is sealed where it is kept, and never logged.
   */
  show(shown: ShownCode): void;
}

/** Facet of a connector whose connections are phones that a person links. */
export interface PairingFacet {
  /** What the person reads, as data. Written to the database at start. */
  readonly description: PairingDescription;

  /**
   * Links a phone. Called by the connection's one owner, only when a person asked for it, before `connect`; meanwhile the
   * connection's state is `pairing`. Resolves when the phone is linked and the connector's `state` holds all that
   * `connect` needs; at once, showing nothing, when one is linked already. Calls `context.identify` as soon as the number
   * is known.
   *
   * Throws `ConnectionFault`: with `attention` the pairing is over and a person has to ask again (nobody scanned in time,
   * the wrong phone, the provider's refusal); with another state it is called again by backoff, until the time of the
   * pairing is over. It must end soon after `context.signal` aborts, and leaves nothing open when it ends: a phone that
   * was linked and may not stay is unlinked again.
   */
  pair(context: ConnectorContext, desk: PairingDesk): Promise<void>;
}
