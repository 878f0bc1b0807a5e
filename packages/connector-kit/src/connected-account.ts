// The connector contract, one open connection: sending, its facets, and the end.
import type { Outcome, PartPlan } from "@thikaa/schema";
import type { MediaFacet } from "./media.ts";
import type { RawItem } from "./raw-item.ts";

/** One part, about to be sent for the first or a further time. */
export interface OutboundPart {
  /** The recipient, cleaned. */
  readonly to: string;
  readonly part: PartPlan;
  /** Parts of the message in all. */
  readonly partCount: number;
  /** Ours; the same in every attempt. */
  readonly messageId: string;
}

/** An open connection, made by `Connector.connect` and used by its owner alone until `disconnect`. */
export interface ConnectedAccount {
  /**
   * One call of the provider. Called for many parts at once, but never for two of one recipient. It must answer within its
   * own time limit, and says what it knows: `unavailable` only when the provider surely did not take the part, `uncertain`
   * when bytes went out and no answer came. It does not retry, wait for a limit to pass, or store anything; it does not
   * throw (that would count as `poison`, our own fault).
   */
  send(part: OutboundPart): Promise<Outcome>;

  /** Facet: the provider is asked for updates. Absent when it posts them or pushes them over a socket. */
  readonly polling?: PollingFacet;

  /** Facet: customers' files are fetched from the provider. */
  readonly media?: MediaFacet | undefined;

  /** Facet: the person sees that somebody writes. */
  readonly typing?: TypingFacet;

  /** Closes what `connect` opened, so that another process can take the connection over. Called once, after the last send ended. It does not log the account out at the provider, and does not throw. */
  disconnect(): Promise<void>;
}

/** Facet of an account whose updates are fetched. The host calls `poll` again and again, never twice at once. */
export interface PollingFacet {
  /**
   * Waits for updates (long poll) and gives them in order, unacknowledged: the provider must give them again when
   * `committed` is not called. Ends soon after the signal aborts. Throws `ConnectionFault`; the host says so in the
   * connection's state and polls again by backoff, or stops the connection when a person is needed.
   */
  poll(signal: AbortSignal): Promise<readonly RawItem[]>;

  /** Told that all items of the last poll are stored: only now may the provider forget them. Quick; never throws. */
  committed(): void;
}

export interface TypingFacet {
  /** Shows a person for some seconds that somebody writes. Called at once when a store asks for it, for several people at the same time. A failure is of no consequence. */
  show(to: string, signal: AbortSignal): Promise<void>;
}
