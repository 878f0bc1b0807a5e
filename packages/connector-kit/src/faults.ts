// Why a connection is not open: thrown by connectors, shown to the connection's owner.
import { pairingReasonOf } from "@thikaa/schema";
import type { ConnectionReason } from "@thikaa/schema";

export interface FaultOptions {
  /** `attention` needs a person, and is tried again only if `retryAfterMs` is there; `recovering` and `limited` are tried again in any case. */
  readonly state: "attention" | "recovering" | "limited";
  /** In plain words, without secrets. */
  readonly reason: ConnectionReason;
  /** How long to wait, in milliseconds: the provider's own word, or the connector's. */
  readonly retryAfterMs?: number;
}

/** A connection can't be opened or kept. Thrown by `connect` and `poll`. */
export class ConnectionFault extends Error {
  readonly state: FaultOptions["state"];
  readonly reason: ConnectionReason;
  readonly retryAfterMs: number | null;

  constructor(options: FaultOptions) {
    super(options.reason.message);
    this.name = "ConnectionFault";
    this.state = options.state;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Another connection of the channel already holds this account of the provider. */
export class AddressTaken extends ConnectionFault {
  constructor() {
    super({
      state: "attention",
      reason: {
        code: "account_in_use",
        message:
          "Another connection already uses this account. Remove it there first, or give this connection another account.",
      },
    });
    this.name = "AddressTaken";
  }
}

/** No phone is linked to the connection, yet or any more; the reason says which. Thrown by `connect` of a connector with the `pairing` facet; the connection waits until somebody asks for pairing. */
export class NotPaired extends ConnectionFault {
  constructor(reason: ConnectionReason = pairingReasonOf("not_paired")) {
    super({ state: "attention", reason });
    this.name = "NotPaired";
  }
}

/** The connection has another owner by now; what was asked for was not done. The host ends the connection here; nobody is told. */
export class OwnershipLost extends Error {
  constructor() {
    super("This connection is run by another process by now.");
    this.name = "OwnershipLost";
  }
}
