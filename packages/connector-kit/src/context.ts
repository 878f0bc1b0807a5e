// The context: the only way out of a connector to the house. One for each time a connection is opened.
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";
import type { CredentialValues } from "./credentials.ts";
import type { AddressedFile } from "./media.ts";
import type { RawItem } from "./raw-item.ts";

/** A provider's account, as `connect` found it. */
export interface IdentifiedAccount {
  /** The account's lasting id at the provider (a bot's id, a phone number, a page's id). */
  readonly address: string;
  /** Its name as people see it. */
  readonly name: string;
  /** Where people reach it; `null` when there is no such link. */
  readonly link: string | null;
}

/** Values by key; `null` deletes. */
export type StateChange = Readonly<Record<string, string | null>>;

/** Reads and writes what the connector keeps for this connection. */
export interface ConnectorState {
  /** The values of these keys, opened; keys without a value are left out. */
  get(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Writes all of them or none, sealed. Throws `OwnershipLost` when the connection has another owner by now. */
  set(values: StateChange): Promise<void>;
  /** Deletes every value whose key begins with this, or none. Throws `OwnershipLost` when the connection has another owner by now. */
  forget(prefix: string): Promise<void>;
}

export interface ConnectorCredentials {
  readonly values: CredentialValues;
  /** For providers that hand out new ones (a refreshed token): seals and stores them. Throws `OwnershipLost` when the connection has another owner by now. */
  replace(values: CredentialValues): Promise<void>;
}

/** A message of this connection as it stands: for answers, edits, deletions and reactions, which name one by our id. */
export interface KnownMessage {
  /** What the provider took of it, in order; `payload` is the part's own, `null` of a message that came in. */
  readonly parts: readonly { readonly payload: unknown; readonly providerMessageId: string }[];
  /** Whether more of it may still be sent. */
  readonly pending: boolean;
}

/** A log of fields and a sentence. Never a secret, never a person's words. */
export interface ConnectorLog {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

/** Given to `connect`. Everything in it ends when `signal` aborts. */
export interface ConnectorContext {
  /** Ours; for keys in maps and for logs. */
  readonly connectionId: string;
  readonly credentials: ConnectorCredentials;

  /** Where the provider is for this connection, without a slash at the end: the provider itself, or its stand-in for the sandbox. A connector never asks which. */
  readonly baseUrl: string;

  /** Where the provider is to post updates; `null` when it can't reach us: then the connector polls. */
  readonly webhookUrl: string | null;
  /** Proves that a post is the provider's: 43 characters of A-Z a-z 0-9 _ -, this connection's own. */
  readonly webhookSecret: string;

  /**
   * Claims the provider's account for this connection and shows its name. Called by `connect` as soon as the account is
   * known and before anything else is done with it. Throws `AddressTaken` when another connection of the channel holds
   * it, `OwnershipLost` when this connection has another owner by now; `connect` lets both pass.
   */
  identify(account: IdentifiedAccount): Promise<void>;

  readonly state: ConnectorState;

  /** The message of this connection and recipient with this id of ours; `null` when there is none. Rejects when the database is away. */
  message(messageId: string, to: string): Promise<KnownMessage | null>;

  /**
   * Stores what came in; resolves when it is committed, and only then may the provider be told. For sockets; polled items
   * are stored by the host. Rejects when the database is away: nothing may be acknowledged then.
   *
   * With `state` the items and these values of `ConnectorState` are written in one transaction, all or none: for protocols
   * whose reading of a message uses up what it was read with. Throws `OwnershipLost`, and writes nothing, when the
   * connection has another owner by now; items alone are stored whoever brings them.
   */
  received(items: readonly RawItem[], state?: StateChange): Promise<void>;

  /**
   * Opens a file at an address that a user gave (`media_url`), where the provider can't fetch it itself. The address and
   * each redirect are checked against private networks; time is capped. Throws `MediaFault`.
   */
  openAddress(url: string, signal?: AbortSignal): Promise<AddressedFile>;

  /** Says how the connection is. The host itself says `connecting`, `connected`, and what a `ConnectionFault` carries; a connector says the rest. Never throws; the last report wins. */
  report(state: ConnectionState, reason: ConnectionReason | null): void;

  readonly clock: () => Date;
  readonly log: ConnectorLog;
  /** Aborts when the connection must be let go. */
  readonly signal: AbortSignal;
}
