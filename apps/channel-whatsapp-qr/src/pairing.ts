// Pairing: what `connect` needs from whoever asks for it, and what it shows meanwhile. Meant for the connector contract.
import type { ConnectorContext } from "@thikaa/connector-kit";

/** How the phone's owner wants to link: by scanning a code, or by typing one on the phone of this number (digits). */
export type PairingRequest =
  | { readonly kind: "qr" }
  | { readonly kind: "code"; readonly number: string };

/** What the phone's owner has to see now. Each step replaces the one before it; the last one is over when `connect` ends. */
export interface PairingStep {
  /** The text of the code to scan; `null` when a code is typed. */
  readonly qr: string | null;
  /** The eight characters to type; `null` when a code is scanned. */
  readonly code: string | null;
  readonly expiresAt: Date;
}

export interface Pairing {
  /** `null` while nobody asked for it: an account that is not linked then waits for a person. */
  readonly request: PairingRequest | null;
  /** Never throws. What is shown lets whoever sees it in: it is sealed where it is kept, and never logged. */
  show(step: PairingStep): void;
}

/** The context of a connector whose accounts are linked by a person. */
export interface PairingContext extends ConnectorContext {
  readonly pairing?: Pairing;
}
