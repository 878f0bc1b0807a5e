// The connections of this process: taken and given back by assignment, started anew when their rows change, rung when something is due.
import { connectionAssignment, listConnectionsToOwn, loadConnection } from "@thikaa/db";
import { Assignments, startLoop, Trouble } from "@thikaa/runtime";
import type { Held, Loop } from "@thikaa/runtime";
import { findLanes, joinLanes } from "@thikaa/sending";
import type { HostParts } from "./parts.ts";
import { ConnectionRunner } from "./runner.ts";

/** Lanes of a connection that the look each second sees; it goes on from there with the next one. What is due is seldom far: where some is found, the sender looks on by itself. */
const sweepLanes = 256;

export class Connections {
  readonly #parts: HostParts;
  readonly #runners = new Map<string, ConnectionRunner>();
  readonly #assignments: Assignments;
  readonly #sweepLoop: Loop;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#assignments = Assignments.start({
      database: parts.database,
      worker: parts.worker,
      log: parts.log,
      metrics: parts.metrics,
      kind: connectionAssignment,
      keys: () => this.#toOwn(),
      acquired: (held) => this.#acquired(held),
    });
    this.#sweepLoop = startLoop({
      work: () => this.#sweep(),
      everyMs: 1_000,
      trouble: new Trouble(parts.log, "due messages could not be looked for"),
    });
  }

  /** Whether everything that could be taken at the start has been. */
  get settled(): boolean {
    return this.#assignments.settled;
  }

  /** A connection's row changed. */
  nudge(): void {
    this.#assignments.nudge();
  }

  /** Ends every connection of this process and gives it back. */
  async stop(): Promise<void> {
    await this.#sweepLoop.stop();
    await this.#assignments.stop();
  }

  async #toOwn(): Promise<string[]> {
    const { database, connector } = this.#parts;
    const found = await listConnectionsToOwn(database, connector.channels);
    for (const { id, revision } of found) this.#runners.get(id)?.noticeRevision(revision);
    return found.map(({ id }) => id);
  }

  async #acquired(held: Held): Promise<() => Promise<void>> {
    const row = await loadConnection(this.#parts.database, held.key);
    if (row === null) return () => Promise.resolve();
    const runner = new ConnectionRunner(this.#parts, held, row);
    this.#runners.set(held.key, runner);
    return async () => {
      if (this.#runners.get(held.key) === runner) this.#runners.delete(held.key);
      await runner.stop();
    };
  }

  /** One look for all connections, for rings that were lost and for what is due by time. */
  async #sweep(): Promise<boolean> {
    const cursors = [...this.#runners].flatMap(([connectionId, { sweepFrom }]) =>
      sweepFrom === null ? [] : [{ connectionId, after: sweepFrom }],
    );
    if (cursors.length === 0) return false;
    const { database } = this.#parts;
    await joinLanes(
      database,
      cursors.map(({ connectionId }) => connectionId),
    );
    const found = await findLanes(database, cursors, sweepLanes);
    for (const { connectionId } of cursors)
      this.#runners.get(connectionId)?.swept(found.get(connectionId));
    return false;
  }
}
