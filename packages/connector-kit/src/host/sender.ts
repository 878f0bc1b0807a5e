// Sending on one connection: claims on a ring, calls the provider in lanes, hands outcomes over, and ends gracefully.
import { findLanes, releaseUnbegun } from "@thikaa/sending";
import type { BegunAttempt, FoundLanes } from "@thikaa/sending";
import { inSpan, startLoop, Trouble } from "@thikaa/runtime";
import type { Loop } from "@thikaa/runtime";
import type { MessageReason, Outcome } from "@thikaa/schema";
import type { ConnectedAccount } from "../connected-account.ts";
import { hostLimits } from "./host-config.ts";
import type { ConnectionIdentity } from "./identity.ts";
import { Lanes } from "./lanes.ts";
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

/** Lanes looked at in one go, while there is nothing better to try. */
const walkLanes = 64;
/** After a claim whose end is unknown, what it may have begun is looked for, so long and so often. */
const doubtMs = 60_000;
const releaseEveryMs = 1_000;
const lookMs = 60_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #loop: Loop;
  readonly #lanes = new Lanes();
  /** Messages being sent. A number, and no set of them: what was in a set that changes with every message is collected late. */
  #inFlight = 0;
  #whenIdle: (() => void)[] = [];
  #pausedUntil = 0;
  #doubtUntil = 0;
  #releasedAt = 0;
  #closed = false;
  /** Until when calls may be begun; set when it ends. */
  #callsUntil = Number.POSITIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#loop = startLoop({
      work: () => this.#work(),
      everyMs: lookMs,
      trouble: new Trouble(options.parts.log, "messages could not be claimed"),
    });
  }

  /** Something may be due for a recipient. */
  ring(to: string): void {
    if (this.#lanes.tell(to, "ring")) this.#loop.ring();
  }

  /** It may go on after a pause. */
  resume(): void {
    this.#loop.ring();
  }

  /** Where the host's look each second, which finds what lost its ring or came due, goes on here; `null` for nowhere. */
  get sweepFrom(): string | null {
    return this.#mayClaim ? this.#lanes.sweepFrom : null;
  }

  /** What that look found. */
  swept(found: FoundLanes | undefined): void {
    this.#lanes.saw(found);
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
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  get #mayClaim(): boolean {
    if (this.#closed || performance.now() < this.#pausedUntil) return false;
    return this.#options.parts.worker.alive;
  }

  /** How many more may be sent to now. */
  get #free(): number {
    return this.#mayClaim ? hostLimits.lanes - this.#inFlight : 0;
  }

  async #work(): Promise<boolean> {
    if (this.#free <= 0) return false;
    await this.#release();
    await this.#walk();
    const lanes = this.#lanes.take(this.#free);
    if (lanes.size > 0) await this.#claim(lanes);
    // More lanes are tried at once, as long as there is room; a lane that becomes free rings.
    return this.#free > 0 && (lanes.size > 0 || this.#lanes.walkFrom !== null);
  }

  async #walk(): Promise<void> {
    const { parts, connection } = this.#options;
    const after = this.#lanes.walkFrom;
    if (after === null) return;
    const cursor = { connectionId: connection.id, after };
    const found = await findLanes(parts.database, [cursor], walkLanes);
    this.#lanes.saw(found.get(connection.id));
  }

  async #claim(lanes: ReadonlyMap<string, ClaimCause>): Promise<void> {
    const { parts, connection, epoch } = this.#options;
    try {
      const { begun, failure } = await parts.claimer.claim({
        connectionId: connection.id,
        epoch,
        addresses: [...lanes.keys()],
      });
      parts.measures.claimed(
        connection.channel,
        begun.map(({ to }) => lanes.get(to) ?? "sweep"),
      );
      for (const attempt of begun) this.#begin(attempt);
      if (failure !== undefined) throw failure.error;
    } catch (error) {
      this.#doubtUntil = performance.now() + doubtMs;
      this.#lanes.doubt();
      throw error;
    }
  }

  /** A claim that threw may have begun attempts all the same; whatever is not known here is given back. */
  async #release(): Promise<void> {
    const now = performance.now();
    if (now > this.#doubtUntil || now < this.#releasedAt + releaseEveryMs) return;
    const { parts, connection, epoch } = this.#options;
    const { recovered, eventsFor } = await releaseUnbegun(parts.database, {
      storeId: connection.storeId,
      connectionId: connection.id,
      epoch,
      known: this.#lanes.messages,
    });
    this.#releasedAt = performance.now();
    parts.settler.ringUnnumbered(eventsFor);
    if (recovered > 0)
      parts.log.warn(
        { connection: connection.id, recovered },
        "attempts that were never begun were given back",
      );
  }

  #begin(attempt: BegunAttempt): void {
    this.#lanes.began(attempt);
    this.#inFlight += 1;
    void this.#sendAll(attempt).finally(() => {
      this.#inFlight -= 1;
      this.#lanes.ended(attempt);
      this.#loop.ring();
      if (this.#inFlight === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
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
      return { class: "unavailable", reason: notBegun, asked: false };
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
