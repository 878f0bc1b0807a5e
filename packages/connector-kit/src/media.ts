// The connector contract for media: how a customer's file is fetched from the provider.
import type { MediaReason } from "@thikaa/schema";

/** A file at the provider, opened. */
export interface ProviderFile {
  /** Its bytes, as they come; never the whole file in memory. Fails when the signal given to `open` aborts. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** When the provider tells them only here; `null` leaves what `convert` said. */
  readonly mime: string | null;
  readonly name: string | null;
}

/**
 * Facet: customers' files lie at the provider and are fetched. A connector whose `convert` names media must have it: the
 * `reference` of each comes back here.
 */
export interface MediaFacet {
  /**
   * Opens a file by the reference that `convert` gave it. Called by the host of the connection's owner, while the
   * connection is open, for several files at once; for one file again after each failure, by backoff, and by the next
   * owner when this one ends in the middle. The host keeps the bytes, caps their size and time, and aborts `signal` when
   * nobody wants them any more. Throws `MediaFault`; anything else thrown, here or by the bytes, is tried again.
   */
  open(reference: string, signal: AbortSignal): Promise<ProviderFile>;
}

/** A file at an address that one of our users gave, opened. Its bytes must be read or discarded. */
export interface AddressedFile {
  /** As its server tells them; `null` when it does not. Untrusted. */
  readonly mime: string | null;
  readonly name: string | null;
  readonly size: number | null;
  /** The bytes, once. Throws `MediaFault`: broken off, too slow, or `media_too_large` at the first byte over the limit. */
  read(maxBytes: number): AsyncIterable<Uint8Array>;
  discard(): void;
}

export interface MediaFaultOptions {
  /** In plain words, without secrets. */
  readonly reason: MediaReason;
  /** Whether it is of no use to try again: the file is gone, or more than the provider gives out. */
  readonly final: boolean;
  /** The provider's own word on how long to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A file can't be had, now or for good. */
export class MediaFault extends Error {
  readonly reason: MediaReason;
  readonly final: boolean;
  readonly retryAfterMs: number | null;

  constructor(options: MediaFaultOptions) {
    super(options.reason.message);
    this.name = "MediaFault";
    this.reason = options.reason;
    this.final = options.final;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
