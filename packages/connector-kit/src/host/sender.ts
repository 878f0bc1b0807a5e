// Sending on one connection: claims on a ring, calls the provider in lanes, hands outcomes over, and ends gracefully.
import { claim } from "@thikaa/sending";
import type { BegunAttempt } from "@thikaa/sending";
import { inSpan, startLoop, Trouble } from "@thikaa/runtime";
import type { Loop } from "@thikaa/runtime";
import type { MessageReason, Outcome } from "@thikaa/schema";
import type { ConnectedAccount } from "../connected-account.ts";
import { hostLimits } from "./host-config.ts";
import type { ConnectionIdentity } from "./identity.ts";
import type { ClaimCause } from "./measures.ts";
import type { HostParts } from "./parts.ts";
import { within } from "./waiting.ts";

export interface SenderOptions {
  readonly parts: HostParts;
  readonly connection: ConnectionIdentity;
  readonly epoch: number;
  readonly account: ConnectedAccount;
  /** The provider refused the credentials: nothing more is claimed. */
  readonly onUnauthorized: (reason: MessageReason) => void;
  /** The provider asked the whole connection to wait: nothing is claimed for so long. */
  readonly onThrottled: (reason: MessageReason, waitMs: number) => void;
}

/** The due ones are looked for by the host, for all connections in one query; this is a last resort. */
const claimUnaskedMs = 60_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #loop: Loop;
  readonly #inFlight = new Set<Promise<void>>();
  /** Why it looks next. Anything tells more than the look each second, which comes anyhow. */
  #cause: ClaimCause = "sweep";
  #pausedUntil = 0;
  #closed = false;
  /** Until when calls may be begun; set when it ends. */
  #callsUntil = Number.POSITIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#loop = startLoop({
      work: () => this.#claim(),
      everyMs: claimUnaskedMs,
      trouble: new Trouble(options.parts.log, "messages could not be claimed"),
    });
  }

  /** Asks for a claim soon: something is due. */
  ring(cause: ClaimCause): void {
    if (cause !== "sweep") this.#cause = cause;
    this.#loop.ring();
  }

  /** Claims no more, and waits for the sends in flight, at most so long. Says whether all have ended. */
  async stop(graceMs: number): Promise<boolean> {
    this.#closed = true;
    this.#callsUntil = Math.min(this.#callsUntil, performance.now() + graceMs);
    return within(
      graceMs,
      this.#loop.stop().then(() => this.#idle()),
    );
  }

  async #idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  async #claim(): Promise<boolean> {
    const { parts, connection, epoch } = this.#options;
    const free = hostLimits.lanes - this.#inFlight.size;
    if (this.#closed || free <= 0 || !parts.worker.alive || performance.now() < this.#pausedUntil)
      return false;
    const cause = this.#cause;
    this.#cause = "sweep";
    const begun = await claim(parts.database, {
      storeId: connection.storeId,
      connectionId: connection.id,
      worker: parts.worker.id,
      epoch,
      limit: free,
      plan: parts.connector.plan,
    });
    parts.measures.claimed(
      connection.channel,
      begun.map(() => cause),
    );
    for (const attempt of begun) this.#begin(attempt);
    // A lane that becomes free rings; until then there is none, or nothing more was due.
    return false;
  }

  #begin(attempt: BegunAttempt): void {
    const sending = this.#sendAll(attempt).finally(() => {
      this.#inFlight.delete(sending);
      this.ring("lane");
    });
    this.#inFlight.add(sending);
  }

  /** Sends a part, and those that follow it, each after the one before it is settled. */
  async #sendAll(first: BegunAttempt): Promise<void> {
    for (let attempt: BegunAttempt | null = first; attempt !== null;) {
      const outcome = await this.#measured(attempt);
      this.#notice(outcome);
      attempt = await this.#options.parts.settler.settle({ attempt, outcome });
    }
  }

  /** The call at the provider, in a span of the message's trace. */
  async #measured(attempt: BegunAttempt): Promise<Outcome> {
    const { messageId, channel, connectionId, part } = attempt;
    const begunAt = performance.now();
    const attributes = {
      "thikaa.channel": channel,
      "thikaa.connection.id": connectionId,
      "thikaa.part": part.n,
    };
    const outcome = await inSpan(
      "provider call",
      { messageId, kind: "client", attributes },
      async (span) => {
        const sent = await this.#send(attempt);
        span.setAttribute("thikaa.outcome", sent.class);
        return sent;
      },
    );
    this.#options.parts.measures.attempted(attempt, outcome, performance.now() - begunAt);
    return outcome;
  }

  async #send(attempt: BegunAttempt): Promise<Outcome> {
    const { parts, account, connection } = this.#options;
    // The lease may have run out during the claim: then another owner may be sending this already.
    if (!parts.worker.alive || performance.now() >= this.#callsUntil)
      return { class: "unavailable", reason: notBegun };
    try {
      return await account.send({
        to: attempt.to,
        part: attempt.part,
        partCount: attempt.partCount,
        messageId: attempt.messageId,
      });
    } catch (error) {
      parts.log.error({ error, connection: connection.id }, "the connector threw while it sent");
      return {
        class: "poison",
        reason: {
          code: "internal_error",
          message: "We failed to send this message.",
          provider_code: null,
          provider_message: null,
        },
      };
    }
  }

  #notice(outcome: Outcome): void {
    const { onThrottled, onUnauthorized } = this.#options;
    if (outcome.class === "unauthorized") {
      this.#closed = true;
      onUnauthorized(outcome.reason);
    } else if (outcome.class === "throttled" && outcome.scope === "connection") {
      this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + outcome.retryAfterMs);
      onThrottled(outcome.reason, outcome.retryAfterMs);
    }
  }
}

const notBegun: MessageReason = {
  code: "connection_moved",
  message: "The connection moved to another process before this was sent.",
  provider_code: null,
  provider_message: null,
};
