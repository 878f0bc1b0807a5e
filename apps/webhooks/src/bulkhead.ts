// The bulkhead: this worker's slots, parted by how endpoints do, so that those of one kind can never take the slots of another.
import type { HealthState } from "./health.ts";

/** So many attempts at once begin for endpoints of a kind. */
const capacities: Readonly<Record<HealthState, number>> = {
  healthy: 384,
  untested: 128,
  slow: 64,
  failing: 64,
};

/** One attempt's place. */
export interface Slot {
  kind: HealthState;
}

export class Bulkhead {
  readonly #taken: Record<HealthState, number> = { healthy: 0, untested: 0, slow: 0, failing: 0 };

  /** How many more may begin. */
  room(kind: HealthState): number {
    return Math.max(0, capacities[kind] - this.#taken[kind]);
  }

  /** All attempts under way. */
  get taken(): number {
    return Object.values(this.#taken).reduce((sum, count) => sum + count, 0);
  }

  enter(kind: HealthState): Slot {
    this.#taken[kind]++;
    return { kind };
  }

  /** An attempt under way turns out to be of another kind. It may overfill that one, which then takes no new one until it has emptied. */
  move(slot: Slot, kind: HealthState): void {
    this.leave(slot);
    this.#taken[kind]++;
    slot.kind = kind;
  }

  leave(slot: Slot): void {
    this.#taken[slot.kind]--;
  }
}
