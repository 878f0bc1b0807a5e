// A connection's state on its way to its row: the last one wins, written until it is there or the connection is no longer ours.
import { reportConnection } from "@thikaa/db";
import { Trouble } from "@thikaa/runtime";
import type { ConnectionReason, ConnectionState } from "@thikaa/schema";
import type { ConnectionIdentity } from "./identity.ts";
import type { HostParts } from "./parts.ts";
import { sleep, within } from "./waiting.ts";

type Report = Parameters<typeof reportConnection>[2];

export class StateReport {
  readonly #parts: HostParts;
  readonly #connection: ConnectionIdentity;
  readonly #epoch: number;
  readonly #given = new AbortController();
  #current: ConnectionState | null = null;
  #unwritten: Report | null = null;
  #writing: Promise<void> | null = null;

  constructor(parts: HostParts, connection: ConnectionIdentity, epoch: number) {
    this.#parts = parts;
    this.#connection = connection;
    this.#epoch = epoch;
  }

  /** What was said last; `null` before the first word. */
  get state(): ConnectionState | null {
    return this.#current;
  }

  /** Says a state; written in the background, and only while the row has this revision, if one is named. */
  say(state: ConnectionState, reason: ConnectionReason | null, revision?: number): void {
    if (this.#given.signal.aborted) return;
    this.#parts.measures.moved(this.#connection.channel, this.#current, state);
    this.#current = state;
    this.#unwritten = { state, reason, revision };
    this.#start();
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      // A word may have been said between the last look and this moment.
      if (this.#unwritten !== null && !this.#given.signal.aborted) this.#start();
    });
  }

  /** Waits until the last word is written, at most so long, and says nothing more. */
  async close(graceMs: number): Promise<void> {
    if (this.#writing !== null) await within(graceMs, this.#writing);
    this.#given.abort();
    this.#parts.measures.moved(this.#connection.channel, this.#current, null);
    this.#current = null;
  }

  async #write(): Promise<void> {
    const { database, bus, worker, log } = this.#parts;
    const { id, storeId, channel } = this.#connection;
    const trouble = new Trouble(log, "a connection's state could not be written; trying again");
    for (let failures = 0; this.#unwritten !== null && !this.#given.signal.aborted;) {
      const report = this.#unwritten;
      try {
        const ours = await reportConnection(
          database,
          { connectionId: id, worker: worker.id, epoch: this.#epoch },
          report,
        );
        trouble.passed();
        if (this.#unwritten === report) this.#unwritten = null;
        if (ours)
          bus.ring(
            { ring: "connection", to: [id] },
            {
              store_id: storeId,
              connection_id: id,
              channel,
              state: report.state,
              reason: report.reason,
            },
          );
      } catch (error) {
        trouble.failed(error, { connection: id });
        await sleep(Math.min(5_000, 100 * 2 ** failures++), this.#given.signal);
      }
    }
  }
}
