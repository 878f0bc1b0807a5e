// How an endpoint (or an origin) does, and how many requests at once it may therefore have: a circuit breaker with a slow start.
import type { EndpointHealthState } from "@thikaa/db";

/** `untested`: nothing has been seen of it since this process took it over. */
export type HealthState = EndpointHealthState | "untested";

/** An attempt that is still under way after this long is slow, in milliseconds. */
export const patienceMs = 1_000;

const most = 32;
const mostWhenSlow = 5;
const setbacksToFail = 3;
/** Pauses between single tries while it fails, the last for ever, ± 20 %. */
const pausesMs = [1_000, 5_000, 30_000, 60_000, 300_000];
const latencyWeight = 0.3;

/**
 * Each quick success allows one more at once, so that the number doubles with each round; a failure halves it. After three setbacks
 * in a row, or one that took long, single tries are made with growing pauses until one succeeds. Times are milliseconds of one
 * monotonic clock.
 */
export class Health {
  #state: HealthState = "untested";
  #limit = 1;
  #setbacks = 0;
  #pause = -1;
  #pausedAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #since: number;
  #reason: string | null = null;
  #latencyMs = 0;
  #dragging = 0;

  /** `known` is what an owner before wrote down. */
  constructor(now: number, known?: { state: EndpointHealthState; ageMs: number }) {
    this.#since = now - (known?.ageMs ?? 0);
    // A slow or failing one must not be met as if nothing were known of it; a healthy one is tried again from the start.
    if (known !== undefined && known.state !== "healthy") this.#state = known.state;
  }

  /** What it counts as now: attempts that drag on speak before their end does. */
  get state(): HealthState {
    if (this.#dragging === 0 || this.#state === "failing") return this.#state;
    return this.#state === "untested" ? "failing" : "slow";
  }

  /** What the last end of an attempt made of it. */
  get settled(): HealthState {
    return this.#state;
  }

  /** Whether the last attempt went well, so that nothing is lost with what is known of it. */
  get sound(): boolean {
    return this.#setbacks === 0 && this.#state === "healthy";
  }

  /** Since when it has been so. */
  get since(): number {
    return this.#since;
  }

  /** In plain words; `null` while healthy. */
  get reason(): string | null {
    return this.#reason;
  }

  /** When it may be called again; in the past when nothing holds it back. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** How many requests it may have at once. */
  limit(now: number): number {
    if (now < this.#pausedUntil) return 0;
    const { state } = this;
    if (state === "failing") return 1;
    return state === "slow" ? Math.min(this.#limit, mostWhenSlow) : this.#limit;
  }

  /** An attempt has outlasted our patience. Resolves itself with `draggedOn`, at its end. */
  dragsOn(): void {
    this.#dragging++;
  }

  draggedOn(): void {
    this.#dragging--;
  }

  succeeded(now: number, durationMs: number): void {
    this.#setbacks = 0;
    this.#pause = -1;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
    if (this.#state === "failing" || this.#state === "untested") this.#latencyMs = durationMs;
    else this.#latencyMs += latencyWeight * (durationMs - this.#latencyMs);
    // Half the patience to leave, so that one at the border does not flutter.
    const slow = this.#latencyMs > (this.#state === "slow" ? patienceMs / 2 : patienceMs);
    this.#limit = Math.min(this.#limit + 1, slow ? mostWhenSlow : most);
    const seconds = (this.#latencyMs / 1_000).toFixed(1);
    this.#enter(
      slow ? "slow" : "healthy",
      now,
      slow ? `It takes ${seconds} s to answer, so it gets few requests at once.` : null,
    );
  }

  /** `begunAt` is when the attempt began: what was under way at a setback already is part of that setback. */
  failed(now: number, begunAt: number, reason: string): void {
    if (begunAt < this.#pausedAt) return;
    this.#setbacks++;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    const failing =
      this.#state === "failing" || this.#setbacks >= setbacksToFail || now - begunAt >= patienceMs;
    if (!failing) return;
    this.#limit = 1;
    this.#pause = Math.min(this.#pause + 1, pausesMs.length - 1);
    this.#pausedAt = now;
    this.#pausedUntil = now + (pausesMs[this.#pause] ?? 0) * (0.8 + 0.4 * Math.random());
    this.#enter("failing", now, reason);
  }

  /** What kept it from being reached is over: its next single try may be made at once. */
  resume(): void {
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  #enter(state: EndpointHealthState, now: number, reason: string | null): void {
    if (state !== this.#state) this.#since = now;
    this.#state = state;
    this.#reason = reason;
  }
}
