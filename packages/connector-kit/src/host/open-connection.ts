// One opened connection: its lanes and its polling, until a fault or until it is let go.
import type { MessageReason } from "@thikaa/schema";
import { sendRing } from "@thikaa/schema";
import type { RingListener } from "@thikaa/bus";
import type { FoundLanes } from "@thikaa/sending";
import type { ConnectedAccount } from "../connected-account.ts";
import { ConnectionFault } from "../faults.ts";
import { hostLimits } from "./host-config.ts";
import type { ConnectionIdentity } from "./identity.ts";
import type { HostParts } from "./parts.ts";
import { pollUntil } from "./polling.ts";
import { Sender } from "./sender.ts";
import type { StateReport } from "./state-report.ts";

/** What a lane wants to know of a ring. */
const recipient = sendRing.pick({ to: true });

export interface OpenOptions {
  readonly parts: HostParts;
  readonly connection: ConnectionIdentity;
  readonly epoch: number;
  readonly account: ConnectedAccount;
  readonly report: StateReport;
}

export class OpenConnection {
  readonly #options: OpenOptions;
  readonly #sender: Sender;
  readonly #rings: readonly RingListener[];
  readonly #polling = new AbortController();
  readonly #polled: Promise<void>;
  readonly #fetching: () => Promise<void>;
  readonly #ended = Promise.withResolvers<ConnectionFault | null>();
  #limitedTimer: NodeJS.Timeout | undefined;
  #shown = 0;

  constructor(options: OpenOptions) {
    const { parts, connection, epoch, account, report } = options;
    this.#options = options;
    report.say("connected", null);
    this.#sender = new Sender({
      parts,
      connection,
      epoch,
      account,
      onUnauthorized: ({ code, message }) =>
        this.#ended.resolve(new ConnectionFault({ state: "attention", reason: { code, message } })),
      onThrottled: (reason, waitMs) => this.#limited(reason, waitMs),
    });
    const to = [connection.channel, connection.id] as const;
    this.#rings = [
      parts.bus.listen(
        { ring: "out", to: [...to] },
        (ring) => this.#sender.ring(ring.to),
        recipient,
      ),
      parts.bus.listen({ ring: "typing", to: [...to] }, (ring) => void this.#showTyping(ring.to)),
    ];
    this.#fetching = parts.mediaFetcher.add({ connection, epoch, account });
    this.#polled = account.polling === undefined ? Promise.resolve() : this.#poll(account.polling);
  }

  /** Where the host's look for what is due goes on in this connection; `null` for nowhere. */
  get sweepFrom(): string | null {
    return this.#sender.sweepFrom;
  }

  /** What that look found. */
  swept(found: FoundLanes | undefined): void {
    this.#sender.swept(found);
  }

  /** Resolves when the connection has ended and everything of it is closed: to the fault, or to `null` when the signal let it go. */
  async until(letGo: AbortSignal, life: AbortController): Promise<ConnectionFault | null> {
    const end = () => this.#ended.resolve(null);
    letGo.addEventListener("abort", end, { once: true });
    if (letGo.aborted) end();
    const fault = await this.#ended.promise;
    letGo.removeEventListener("abort", end);
    // Said now: what is in flight may take seconds to end.
    if (fault !== null) this.#options.report.say(fault.state, fault.reason);
    await this.#close(life);
    return fault;
  }

  async #close(life: AbortController): Promise<void> {
    const { account, parts, connection } = this.#options;
    clearTimeout(this.#limitedTimer);
    for (const ring of this.#rings) ring.close();
    this.#polling.abort();
    const fetched = this.#fetching();
    const finished = await this.#sender.stop(hostLimits.sendGraceMs);
    life.abort();
    if (!finished) await this.#sender.stop(hostLimits.cutGraceMs);
    await this.#polled;
    await fetched;
    await account
      .disconnect()
      .catch((error: unknown) =>
        parts.log.warn({ error, connection: connection.id }, "a connection did not close cleanly"),
      );
  }

  /** Only where there is room at once: what is shown late is a lie. */
  async #showTyping(to: string): Promise<void> {
    const { account, parts, connection } = this.#options;
    if (account.typing === undefined || this.#shown >= hostLimits.typingAtOnce) return;
    this.#shown += 1;
    const ended = AbortSignal.any([this.#polling.signal, AbortSignal.timeout(hostLimits.typingMs)]);
    try {
      await account.typing.show(to, ended);
    } catch (error) {
      parts.log.debug(
        { error, connection: connection.id },
        "it could not be shown that somebody writes",
      );
    } finally {
      this.#shown -= 1;
    }
  }

  #poll(polling: NonNullable<ConnectedAccount["polling"]>): Promise<void> {
    const { parts, connection, report } = this.#options;
    return pollUntil(this.#polling.signal, {
      polling,
      receive: (items) => parts.receiver.receive(connection, items),
      report: (state, reason) => report.say(state, reason),
      onDead: (fault) => this.#ended.resolve(fault),
      log: parts.log,
    });
  }

  #limited(reason: MessageReason, waitMs: number): void {
    const { report } = this.#options;
    if (this.#polling.signal.aborted) return;
    report.say("limited", { code: reason.code, message: reason.message });
    clearTimeout(this.#limitedTimer);
    this.#limitedTimer = setTimeout(() => {
      if (report.state === "limited") report.say("connected", null);
      this.#sender.resume();
    }, waitMs);
  }
}
