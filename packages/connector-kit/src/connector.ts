// The connector contract, process-wide: what a channel's app offers before any of its connections is open.
import type {
  Capabilities,
  ChannelCode,
  Converted,
  OutboundContent,
  PartPlan,
} from "@thikaa/schema";
import type { ConnectedAccount } from "./connected-account.ts";
import type { ConnectorContext } from "./context.ts";
import type { CredentialsDescription, CredentialValues } from "./credentials.ts";
import type { PairingFacet } from "./pairing.ts";
import type { RawItem } from "./raw-item.ts";

/** A message as its plan sees it. */
export interface OutboundMessage {
  /** The recipient, cleaned. */
  readonly to: string;
  readonly content: OutboundContent;
  /** Ours; for channels that take a reference of the sender. */
  readonly messageId: string;
}

/**
 * A connector translates one provider's protocol to and from the shared schema. There is one object a process, without
 * state of any connection in it; what belongs to a connection lives in its `ConnectedAccount`. Members stand in the
 * order of life.
 */
export interface Connector {
  /** The channels it serves. Each connection of these channels is run by one process of this app. Read once at start. */
  readonly channels: readonly ChannelCode[];

  /** What each channel can carry, as data. Written to the database at start, for the gateway and the docs. */
  readonly capabilities: Readonly<Partial<Record<ChannelCode, Capabilities>>>;

  /** What a connection's owner must give. Written to the database at start; the host checks values by it before `connect`. */
  readonly credentials: CredentialsDescription;

  /**
   * Cuts a message into parts, one call of the provider each, in order, numbered from 1. Called by the host inside the
   * transaction that claims the message, so: pure, quick, no I/O, no clock. The result is stored before the first part is
   * sent and never asked for again. Throwing fails the message as our own fault.
   */
  readonly plan: (message: OutboundMessage) => readonly PartPlan[];

  /**
   * Opens one connection: proves the credentials, calls `context.identify` before anything that could disturb another
   * connection of the same account, and gets ready to send and receive. Called by the connection's one owner, again after
   * each loss. Throws `ConnectionFault` when it can't; anything else thrown counts as our own fault and is tried again.
   * It must end soon after `context.signal` aborts, and must leave nothing open when it throws.
   */
  connect(context: ConnectorContext): Promise<ConnectedAccount>;

  /** A person links their phone to a connection, by a code. Absent where credentials are all it takes. */
  readonly pairing?: PairingFacet;

  /**
   * Facet: something at the provider must not outlast the connection (where to post updates, a phone that is linked).
   * Called by the connection's one owner once it was switched off or removed and nothing of it is open, whether or not it
   * ever was; takes that back, and leaves alone what is no longer ours. What is `off` may be switched on again, without a
   * person at the provider: what it takes for that stays. What is `removed` never comes back: nothing stays, and the host
   * deletes all of `context.state` afterwards. Throws `ConnectionFault`: `attention` when there is no way to it any more,
   * and then the connection is off; anything else is tried again until it succeeds. Ends soon after `context.signal`
   * aborts; may be called again after it succeeded.
   */
  retire?(context: ConnectorContext, desired: "off" | "removed"): Promise<void>;

  /**
   * Facet: something in `context.state` has to go after a time, whatever becomes of the connection. Called by the
   * connection's one owner when it takes the connection on and about each hour from then, open or not, beside whatever
   * else runs of it: so it deletes what nothing else uses any more, and writes nothing that others write. What it throws is
   * logged, and it is called again an hour later. Ends soon after `context.signal` aborts.
   */
  upkeep?(context: ConnectorContext): Promise<void>;

  /** What the provider posts to us, when it can. */
  readonly webhook?: WebhookFacet;

  /**
   * Converts a raw item to the shared schema. Called by whoever received it, once, before it is stored. Pure; never
   * throws: what it does not know becomes type `unsupported` with the provider's word for it, and what is no message of a
   * person becomes a notice. Lenient: a field that can't be read is left out, the rest goes on.
   */
  readonly convert: (item: RawItem) => Converted;
}

/** A request as the provider sent it, for `verify`. */
export interface WebhookRequest {
  readonly method: string;
  /** Header names in lower case; repeated ones joined as HTTP says. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body's bytes, as they came. */
  readonly body: Uint8Array;
}

/** What `verify` may compare with. */
export interface WebhookSecrets {
  /** The connection's own secret, made by us and told to the provider by `connect`. */
  readonly webhookSecret: string;
  readonly credentials: CredentialValues;
}

/** Facet: the provider posts updates to our URL. Called by any process of the app, not only by the connection's owner. */
export interface WebhookFacet {
  /**
   * Whether the provider sent this request, by the secrets of one connection. Called before anything is stored: for the
   * connection whose URL it is, and for each other one whose account an item names, since items go only where the request
   * proves itself. On `false` nothing is stored there; where it proves itself nowhere the host answers 401. Pure, in
   * constant time, never throws.
   */
  verify(request: WebhookRequest, secrets: WebhookSecrets): boolean;

  /** Cuts a body into items. Pure; never throws: what can't be cut is one item with the whole body, whose key is a digest of it. */
  split(body: Uint8Array): readonly RawItem[];

  /** The JSON that a stored body is answered with, where the provider takes something for an answer; `null` for an empty one. Pure; never throws. */
  answer?(items: readonly RawItem[]): string | null;
}
