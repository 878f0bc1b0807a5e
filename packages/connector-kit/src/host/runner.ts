// Runs one connection of this process: opens it, keeps it open, says how it is, and starts anew after faults and changes.
import { loadConnection } from "@thikaa/db";
import type { OwnedConnection } from "@thikaa/db";
import { recoverClaims } from "@thikaa/sending";
import type { FoundLanes } from "@thikaa/sending";
import { backoffMs } from "@thikaa/schema";
import { Trouble } from "@thikaa/runtime";
import type { Held, Loop } from "@thikaa/runtime";
import { ConnectionFault, OwnershipLost } from "../faults.ts";
import { createContext, forgetState } from "./context.ts";
import type { ContextOptions } from "./context.ts";
import { hostLimits } from "./host-config.ts";
import { OpenConnection } from "./open-connection.ts";
import type { ConnectionIdentity } from "./identity.ts";
import { pairIfAsked } from "./pairing.ts";
import type { HostParts } from "./parts.ts";
import { StateReport } from "./state-report.ts";
import { toFault } from "./to-fault.ts";
import { startUpkeep } from "./upkeep.ts";
import { aborted, sleep } from "./waiting.ts";

export class ConnectionRunner {
  readonly #parts: HostParts;
  readonly #held: Held;
  readonly #identity: ConnectionIdentity;
  readonly #report: StateReport;
  readonly #stopping = new AbortController();
  readonly #finished: Promise<void>;
  readonly #upkeep: Loop | null;
  /** Aborts when the row changed: the connection starts anew. One for each time it is opened. */
  #change = new AbortController();
  /** The revision of the row in use; `null` while it is being read. */
  #revision: number | null = null;
  #open: OpenConnection | null = null;
  #failures = 0;

  /** Begins at once. `row` tells whose connection it is; it is read again each time the connection is opened. */
  constructor(parts: HostParts, held: Held, row: OwnedConnection) {
    this.#parts = parts;
    this.#held = held;
    this.#identity = { id: row.id, storeId: row.store_id, channel: row.channel };
    this.#report = new StateReport(parts, this.#identity, held.epoch);
    this.#finished = this.#run();
    this.#upkeep = startUpkeep({
      parts,
      connectionId: row.id,
      epoch: held.epoch,
      report: this.#report,
      signal: this.#stopping.signal,
    });
  }

  /** Where the host's look for what is due goes on in this connection; `null` while it is not open or has no room. */
  get sweepFrom(): string | null {
    return this.#open?.sweepFrom ?? null;
  }

  /** What that look found. */
  swept(found: FoundLanes | undefined): void {
    this.#open?.swept(found);
  }

  /** The row has this revision now; a newer one than that in use starts the connection anew. */
  noticeRevision(revision: number): void {
    if (this.#revision !== null && revision > this.#revision) this.#change.abort();
  }

  /** Ends it: sends in flight are finished and settled, the state that remains is said. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#change.abort();
    await Promise.all([this.#finished, this.#upkeep?.stop()]);
    this.#sayWhatRemains();
    await this.#report.close(1_000);
  }

  async #run(): Promise<void> {
    await this.#recover();
    while (!this.#stopping.signal.aborted) {
      this.#change = new AbortController();
      if (this.#stopping.signal.aborted) return;
      const fault = await this.#openOnce();
      if (fault instanceof OwnershipLost) return;
      if (fault === null) continue;
      this.#report.say(fault.state, fault.reason);
      this.#parts.log.info(
        { connection: this.#identity.id, state: fault.state, reason: fault.reason.code },
        "a connection is not open",
      );
      await this.#waitAfter(fault);
    }
  }

  async #waitAfter(fault: ConnectionFault): Promise<void> {
    this.#failures += 1;
    if (fault.state === "attention" && fault.retryAfterMs === null)
      await aborted(this.#change.signal);
    else
      await sleep(
        fault.retryAfterMs ?? backoffMs(Math.min(this.#failures, hostLimits.backoffSteps)),
        this.#change.signal,
      );
    // Whoever changed the row wants to see it tried at once, and soon again.
    if (this.#change.signal.aborted) this.#failures = 0;
  }

  /** What an earlier owner was sending when it ended becomes uncertain, before anything else is claimed. */
  async #recover(): Promise<void> {
    const { database, settler, log } = this.#parts;
    const trouble = new Trouble(log, "open attempts could not be recovered; trying again");
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        const { recovered, eventsFor } = await recoverClaims(database, {
          storeId: this.#identity.storeId,
          connectionId: this.#identity.id,
          epoch: this.#held.epoch,
        });
        trouble.passed();
        settler.ringUnnumbered(eventsFor);
        if (recovered > 0)
          log.warn(
            { connection: this.#identity.id, recovered },
            "attempts of an earlier owner were left open",
          );
        return;
      } catch (error) {
        trouble.failed(error, { connection: this.#identity.id });
        await sleep(
          backoffMs(Math.min(++failures, hostLimits.backoffSteps)),
          this.#stopping.signal,
        );
      }
    }
  }

  /** Opens the connection and stays until it ends: by a fault, or (`null`) because the row changed or it is let go. */
  async #openOnce(): Promise<ConnectionFault | OwnershipLost | null> {
    const life = new AbortController();
    const change = this.#change.signal;
    // While it is being opened, a change cuts it short; once open it ends in order.
    const cut = () => life.abort();
    change.addEventListener("abort", cut, { once: true });
    try {
      this.#revision = null;
      const row = await loadConnection(this.#parts.database, this.#identity.id);
      if (row === null) return await this.#waitForEnd();
      this.#revision = row.revision;
      const opening = {
        parts: this.#parts,
        row,
        epoch: this.#held.epoch,
        report: this.#report,
        signal: life.signal,
      };
      if (row.desired !== "on") return await this.#putOff(opening, row.desired);
      if (this.#failures === 0) this.#report.say("connecting", null);
      const context = createContext(opening);
      await pairIfAsked({ ...opening, context });
      const account = await this.#parts.connector.connect(context);
      change.removeEventListener("abort", cut);
      this.#failures = 0;
      this.#open = new OpenConnection({
        parts: this.#parts,
        connection: this.#identity,
        epoch: this.#held.epoch,
        account,
        report: this.#report,
      });
      return await this.#open.until(change, life);
    } catch (error) {
      if (change.aborted) return null;
      return error instanceof OwnershipLost ? error : toFault(error, this.#parts.log);
    } finally {
      this.#open = null;
      life.abort();
    }
  }

  /** Not wanted any more: it is off once the provider was told what it must be told, or there is no way to it. */
  async #putOff(opening: ContextOptions, desired: "off" | "removed"): Promise<null> {
    const signal = AbortSignal.any([opening.signal, AbortSignal.timeout(hostLimits.retireMs)]);
    try {
      await this.#parts.connector.retire?.(createContext({ ...opening, signal }), desired);
    } catch (error) {
      if (!(error instanceof ConnectionFault) || error.state !== "attention") throw error;
    }
    if (desired === "removed") await forgetState(opening, "");
    // What was switched off may have been removed by now, and then needs its owner once more.
    this.#report.say("off", null, opening.row.revision);
    return this.#waitForEnd();
  }

  /** There is nothing to own any more: it is taken from us within a second. */
  async #waitForEnd(): Promise<null> {
    await sleep(5_000, this.#change.signal);
    return null;
  }

  #sayWhatRemains(): void {
    const { state } = this.#report;
    // What is off stays so, and what needs a person still does; anything else is taken up by the next owner.
    if (!this.#parts.worker.alive || state === null || state === "off" || state === "attention")
      return;
    this.#report.say("recovering", {
      code: "moving",
      message: "The connection is moving to another process. It goes on by itself.",
    });
  }
}
