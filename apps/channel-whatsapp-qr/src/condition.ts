// How a connection stands, of several things that may be wrong with it at once: the worst of them is said.
import type { ConnectorContext } from "@thikaa/connector-kit";
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";

/** The host has said `connected` when this begins. */
export class Condition {
  readonly #report: ConnectorContext["report"];
  #down: { readonly state: ConnectionState; readonly reason: ConnectionReason } | null = null;
  #limited: ConnectionReason | null = null;

  constructor({ report }: Pick<ConnectorContext, "report">) {
    this.#report = (state, reason) => report(state, reason);
  }

  /** There is no session just now; each word replaces the one before it. */
  down(state: "recovering" | "limited", reason: ConnectionReason): void {
    this.#down = { state, reason };
    this.#say();
  }

  /** The session is open. */
  up(): void {
    if (this.#down === null) return;
    this.#down = null;
    this.#say();
  }

  /** Not everything may be sent; `null` when it may again. */
  limited(reason: ConnectionReason | null): void {
    this.#limited = reason;
    this.#say();
  }

  #say(): void {
    if (this.#down !== null) this.#report(this.#down.state, this.#down.reason);
    else this.#report(this.#limited === null ? "connected" : "limited", this.#limited);
  }
}
