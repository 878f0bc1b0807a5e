// The updates waiting for one bot: numbered, filtered when made, dropped when too old.
import type { Clock } from "../clock.ts";
import { ALL_UPDATE_KINDS, OPT_IN_UPDATE_KINDS } from "./wire.ts";
import type { UpdateKind } from "./wire.ts";

/** One update; `json` is its wire form. Updates of one lane are delivered in order. */
export interface QueuedUpdate {
  id: number;
  lane: string;
  expiresAt: number;
  json: string;
}

/** What is needed to make an update. */
export interface NewUpdate {
  kind: UpdateKind;
  body: object;
  lane: string;
  lifetimeMs: number;
}

const WEEK_MS = 7 * 86_400_000;
/** A larger update is dropped by the real server. */
const LARGEST_UPDATE = 65_536;
/** An answer to getUpdates is cut at about this many bytes. */
const LARGEST_ANSWER = 1 << 22;
/** An offset further ahead than this is not believed: everything is returned. */
const OFFSET_AHEAD = 10;
const DEFAULT_KINDS = ALL_UPDATE_KINDS.filter((kind) => !OPT_IN_UPDATE_KINDS.includes(kind));

/** The queue of one bot. */
export class UpdateQueue {
  readonly #clock: Clock;
  #allowed: ReadonlySet<string> = new Set(DEFAULT_KINDS);
  #waiting: QueuedUpdate[] = [];
  #nextId: number;
  #lastPushAt: number;

  constructor(clock: Clock, firstId: number) {
    this.#clock = clock;
    this.#nextId = firstId;
    this.#lastPushAt = clock.now();
  }

  /** The kinds asked for, or null while they are Telegram's default. */
  get allowed(): string[] | null {
    const isDefault =
      this.#allowed.size === DEFAULT_KINDS.length &&
      DEFAULT_KINDS.every((kind) => this.#allowed.has(kind));
    return isDefault ? null : [...this.#allowed];
  }

  /** Applies `allowed_updates`; absent or unreadable leaves the earlier setting. True when it changed. */
  allow(value: unknown): boolean {
    if (!Array.isArray(value) || value.some((kind) => typeof kind !== "string")) return false;
    const known = value
      .map((kind) => String(kind).toLowerCase())
      .filter((kind) => ALL_UPDATE_KINDS.includes(kind));
    const before = [...this.#allowed].toSorted().join();
    this.#allowed = new Set(known.length === 0 ? DEFAULT_KINDS : known);
    return before !== [...this.#allowed].toSorted().join();
  }

  /** Adds an update; null when its kind is not allowed or it is too large. */
  push(update: NewUpdate): QueuedUpdate | null {
    if (!this.#allowed.has(update.kind)) return null;
    const now = this.#clock.now();
    // After a quiet week the real numbering starts again at a random place.
    if (now - this.#lastPushAt > WEEK_MS)
      this.#nextId = 1 + Math.floor(Math.random() * 1_000_000_000);
    const json = JSON.stringify({ update_id: this.#nextId, [update.kind]: update.body });
    if (Buffer.byteLength(json) > LARGEST_UPDATE) return null;
    const queued = {
      id: this.#nextId,
      lane: update.lane,
      expiresAt: now + update.lifetimeMs,
      json,
    };
    this.#nextId += 1;
    this.#lastPushAt = now;
    this.#waiting.push(queued);
    return queued;
  }

  /** Returns what waits from `offset` on and forgets all before it; a negative offset keeps that many from the end. */
  read(offset: number, limit: number): QueuedUpdate[] {
    this.#dropExpired();
    if (offset < 0) this.#waiting = this.#waiting.slice(offset);
    else if (offset > 0 && offset <= this.#nextId + OFFSET_AHEAD) this.#forgetBefore(offset);
    const chosen: QueuedUpdate[] = [];
    let room = LARGEST_ANSWER;
    for (const update of this.#waiting.slice(0, limit)) {
      room -= 50 + Buffer.byteLength(update.json);
      if (room <= 0) break;
      chosen.push(update);
    }
    return chosen;
  }

  /** All that waits, oldest first. */
  pending(): readonly QueuedUpdate[] {
    this.#dropExpired();
    return this.#waiting;
  }

  /** Forgets one update: it was delivered or is too old. */
  forget(id: number): void {
    const index = this.#waiting.findIndex((update) => update.id === id);
    if (index !== -1) this.#waiting.splice(index, 1);
  }

  /** Forgets everything (`drop_pending_updates`). */
  clear(): void {
    this.#waiting = [];
  }

  #forgetBefore(offset: number): void {
    const first = this.#waiting.findIndex((update) => update.id >= offset);
    this.#waiting = first === -1 ? [] : this.#waiting.slice(first);
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    if (this.#waiting.some((update) => update.expiresAt <= now)) {
      this.#waiting = this.#waiting.filter((update) => update.expiresAt > now);
    }
  }
}
