// Lanes: an index in memory over the queue of this worker's shards, one lane an endpoint, that says whose deliveries to claim next.
import type { EndpointHealth, LaneClaim, OwnedShard, WaitingEndpoint } from "@thikaa/db";
import { Bulkhead } from "./bulkhead.ts";
import type { Slot } from "./bulkhead.ts";
import { Health, patienceMs } from "./health.ts";
import type { HealthState } from "./health.ts";

/** What an attempt says of its endpoint. `unreached`: nothing at its origin could be connected to; `none`: nothing, the fault was ours. */
export type Sign = "well" | "ill" | "unreached" | "none";

interface Lane {
  readonly shard: number;
  readonly endpointId: string;
  url: string | null;
  origin: string;
  health: Health;
  /** Slots held, by attempts under way and by the claim that is being made. */
  busy: number;
  /** Whether its last failure was that nothing at its origin could be connected to. */
  unreached: boolean;
  /** When something is due; infinite when nothing is known to wait. */
  dueAt: number;
  /** What is written down of its health. */
  recorded: string;
}

interface Origin {
  readonly name: string;
  readonly health: Health;
  busy: number;
}

/** A claim for a lane, with its slots held. */
export interface PickedLane extends LaneClaim {
  readonly lane: Lane;
}

/** What an attempt's end tells of its endpoint. */
export interface Finding {
  readonly sign: Sign;
  /** What went wrong, in plain words; `null` when nothing did. */
  readonly reason: string | null;
  /** Set when the endpoint asked never to be called again: why it is disabled. */
  readonly disable: string | null;
}

/** An attempt under way. */
export interface Place {
  readonly lane: Lane;
  /** What was called: a webhook that moves meanwhile is another's health. */
  readonly health: Health;
  readonly origin: Origin;
  readonly slot: Slot;
  readonly begunAt: number;
  readonly patience: NodeJS.Timeout;
  dragging: boolean;
}

const mostInAClaim = 256;
/**
 * An endpoint may hold this part of the slots that are still free for its kind, and one always. So however many of them take all
 * they can get at once, some slots stay free for the next, and the scarcer they are the less anyone may hold.
 */
const shareOfRoom = 12;
/** An endpoint that has not once answered well for so long is disabled: longer than the retries of any one delivery last. */
const failingForMs = 5 * 86_400_000;
const failingForWords = "it has not once answered well for 5 days";

export class Lanes {
  readonly #bulkhead = new Bulkhead();
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Set<Lane>();
  readonly #origins = new Map<string, Origin>();

  /** All attempts under way. */
  get underWay(): number {
    return this.#bulkhead.taken;
  }

  /** Something is due to an endpoint, now or at a time. */
  due(endpoint: { shard: number; endpointId: string }, at = 0): void {
    this.#await(this.#lane(endpoint), at);
  }

  /** What a survey found is the truth of the table: endpoints, when they are due, and what was written down of new ones. */
  surveyed(found: readonly WaitingEndpoint[], now: number): void {
    for (const endpoint of found) {
      const known = this.#lanes.get(endpoint.endpointId);
      const moved = known !== undefined && known.url !== null && known.url !== endpoint.url;
      const lane = this.#lane(endpoint);
      if (known === undefined)
        lane.health = new Health(now, { state: endpoint.health, ageMs: endpoint.healthAgeMs });
      if (moved) lane.health = new Health(now);
      place(lane, endpoint.url);
      if (endpoint.standing === "open") this.#await(lane, now + endpoint.waitMs);
    }
  }

  /** Forgets a shard. Attempts under way end as they would. */
  forget(shard: number): void {
    for (const lane of this.#lanes.values()) {
      if (lane.shard !== shard) continue;
      this.#lanes.delete(lane.endpointId);
      this.#waiting.delete(lane);
    }
  }

  /**
   * Whom to claim for, and how many: each endpoint that may have one gets one before any gets a second. Their slots are held
   * until `claimed` says what became of them.
   */
  pick(shards: ReadonlyMap<number, OwnedShard>, now: number): PickedLane[] {
    const rooms = new Map<Lane, number>();
    const wanting = [...this.#waiting].filter(
      (lane) => lane.dueAt <= now && shards.has(lane.shard),
    );
    const left = new Map<HealthState, number>();
    const probed = new Set<string>();
    let total = 0;
    for (let given = wanting; given.length > 0;) {
      given = given.filter((lane) => {
        const kind = this.#kind(lane);
        const room = left.get(kind) ?? this.#bulkhead.room(kind);
        const held = rooms.get(lane) ?? 0;
        if (room <= 0 || total >= mostInAClaim || held >= this.#free(lane, room, now)) return false;
        if (this.#isDown(lane.origin)) {
          if (probed.has(lane.origin)) return false;
          probed.add(lane.origin);
        }
        rooms.set(lane, held + 1);
        left.set(kind, room - 1);
        total++;
        return true;
      });
    }
    return [...rooms].flatMap(([lane, room]) => {
      const owned = shards.get(lane.shard);
      if (owned === undefined) return [];
      lane.busy += room;
      // News that comes while the claim is made counts for the next one.
      this.#await(lane, Number.POSITIVE_INFINITY);
      const { shard, epoch } = owned;
      return [{ shard, epoch, endpointId: lane.endpointId, room, lane }];
    });
  }

  /** Gives back what a claim held; `taken` is how many it found. As many as asked for means that there may be more. */
  claimed({ lane, room }: PickedLane, taken: number): void {
    lane.busy -= room;
    if (taken === room && this.#lanes.get(lane.endpointId) === lane) this.#await(lane, 0);
  }

  /** An attempt begins. */
  enter(delivery: { shard: number; endpointId: string; url: string }): Place {
    const begunAt = performance.now();
    const lane = this.#lane(delivery);
    place(lane, delivery.url);
    const origin = this.#origins.get(lane.origin) ?? {
      name: lane.origin,
      health: new Health(begunAt),
      busy: 0,
    };
    this.#origins.set(lane.origin, origin);
    lane.busy++;
    origin.busy++;
    const { health } = lane;
    const entered: Place = {
      lane,
      health,
      origin,
      slot: this.#bulkhead.enter(this.#kind(lane)),
      begunAt,
      dragging: false,
      patience: setTimeout(() => {
        entered.dragging = true;
        health.dragsOn();
        this.#bulkhead.move(entered.slot, health.state);
      }, patienceMs),
    };
    return entered;
  }

  /** An attempt ended. Gives what is to be written down of the endpoint, or `null` when that has not changed. */
  leave(place: Place, finding: Finding): EndpointHealth | null {
    const { lane, health, origin, slot, begunAt } = place;
    const now = performance.now();
    clearTimeout(place.patience);
    if (place.dragging) health.draggedOn();
    this.#bulkhead.leave(slot);
    lane.busy--;
    origin.busy--;
    const { sign, reason } = finding;
    const words = reason ?? "";
    if (sign === "well") health.succeeded(now, now - begunAt);
    else if (sign !== "none") health.failed(now, begunAt, words);
    if (sign !== "none" && health === lane.health) lane.unreached = sign === "unreached";
    // Origins are shared by stores: only that nothing there can be connected to is held against all, never how one URL answers.
    if (sign === "unreached") origin.health.failed(now, begunAt, words);
    else if (sign !== "none") {
      if (this.#isDown(origin.name)) this.#resume(origin.name);
      origin.health.succeeded(now, 0);
    }
    if (origin.busy === 0 && origin.health.sound) this.#origins.delete(origin.name);
    return sign === "none" || health !== lane.health ? null : news(lane, now, finding.disable);
  }

  #lane(endpoint: { shard: number; endpointId: string }): Lane {
    const { shard, endpointId } = endpoint;
    const known = this.#lanes.get(endpointId);
    if (known !== undefined) return known;
    const lane: Lane = {
      shard,
      endpointId,
      url: null,
      origin: "",
      health: new Health(performance.now()),
      busy: 0,
      unreached: false,
      dueAt: Number.POSITIVE_INFINITY,
      recorded: "",
    };
    this.#lanes.set(endpointId, lane);
    return lane;
  }

  #free(lane: Lane, room: number, now: number): number {
    const share = Math.max(1, Math.floor(room / shareOfRoom));
    const free = Math.min(lane.health.limit(now), share) - lane.busy;
    const origin = this.#origins.get(lane.origin);
    if (origin === undefined || !this.#isDown(lane.origin)) return free;
    return Math.min(free, origin.health.limit(now) - origin.busy);
  }

  /** An origin answers again: those who could not reach it need not wait for their own time. */
  #resume(origin: string): void {
    for (const lane of this.#lanes.values())
      if (lane.origin === origin && lane.unreached) lane.health.resume();
  }

  #isDown(origin: string): boolean {
    return this.#origins.get(origin)?.health.state === "failing";
  }

  /** What an endpoint counts as for the bulkhead: where its origin is down, its own merits are no help. */
  #kind(lane: Lane): HealthState {
    return this.#isDown(lane.origin) ? "failing" : lane.health.state;
  }

  #await(lane: Lane, at: number): void {
    if (at === Number.POSITIVE_INFINITY) {
      lane.dueAt = at;
      this.#waiting.delete(lane);
      return;
    }
    lane.dueAt = Math.min(lane.dueAt, at);
    this.#waiting.add(lane);
  }
}

function place(lane: Lane, url: string): void {
  if (lane.url === url) return;
  lane.url = url;
  // One that can't be read is refused when it is called; until then it is a place of its own.
  lane.origin = URL.canParse(url) ? new URL(url).origin : url;
}

function news(lane: Lane, now: number, disable: string | null): EndpointHealth | null {
  const { endpointId, url, health } = lane;
  const { settled, reason, since, pausedUntil } = health;
  const ageMs = now - since;
  const over = disable ?? (settled === "failing" && ageMs >= failingForMs ? failingForWords : null);
  const state = over === null ? settled : "failing";
  if (url === null || state === "untested") return null;
  const summary = [state, url, over, ...(state === "failing" ? [reason, pausedUntil] : [])].join(
    " ",
  );
  if (summary === lane.recorded) return null;
  lane.recorded = summary;
  const nextTryMs = state === "failing" && over === null ? Math.max(0, pausedUntil - now) : null;
  return { endpointId, url, state, reason, ageMs, nextTryMs, disable: over };
}
