// Scripted faults: what the stand-in does wrong on purpose, for which calls, and how often.

/** Which calls a fault is for, and how often; what is left out matches everything. */
export interface FaultScope {
  botId?: number | undefined;
  /** In any case. */
  method?: string | undefined;
  chatId?: number | string | undefined;
  /** How many calls; 1 when left out, "always" until removed. */
  times?: number | "always" | undefined;
  /** Milliseconds of the stand-in's clock to wait before anything else. */
  delayMs?: number | undefined;
}

/**
 * One fault. `accepted` means that the call is carried out first, so that the client can't know.
 * `reset_before_accept` and `reset_after_accept` cut the connection; `truncated` carries out the call and sends half of
 * the answer; `delay` only waits.
 */
export type TelegramFault = FaultScope &
  (
    | { kind: "throttled"; retryAfter: number }
    | { kind: "server_error"; status?: number | undefined; accepted?: boolean | undefined }
    | { kind: "error"; status: number; description: string }
    | { kind: "hang"; accepted?: boolean | undefined }
    | { kind: "reset_before_accept" }
    | { kind: "reset_after_accept" }
    | { kind: "truncated" }
    | { kind: "revoked" }
    | { kind: "delay"; delayMs: number }
  );

/** A fault that was added. */
export interface FaultHandle {
  readonly id: number;
  /** How many calls it has hit. */
  readonly hits: number;
  remove(): void;
}

/** One call, as far as a fault looks at it. */
export interface FaultTarget {
  botId: number;
  method: string;
  chatId: string;
}

interface ActiveFault {
  id: number;
  fault: TelegramFault;
  left: number;
  hits: number;
}

const KINDS: ReadonlySet<string> = new Set<TelegramFault["kind"]>([
  "throttled",
  "server_error",
  "error",
  "hang",
  "reset_before_accept",
  "reset_after_accept",
  "truncated",
  "revoked",
  "delay",
]);

/** The faults of one stand-in; the oldest that matches a call is used. */
export class Faults {
  #active: ActiveFault[] = [];
  #nextId = 1;

  /** Adds a fault. Throws when its kind is unknown. */
  add(fault: TelegramFault): FaultHandle {
    if (!KINDS.has(fault.kind))
      throw new Error(`Unknown fault "${fault.kind}"; known: ${[...KINDS].join(", ")}.`);
    const left = fault.times === "always" ? Number.POSITIVE_INFINITY : (fault.times ?? 1);
    const active: ActiveFault = { id: this.#nextId, fault, left, hits: 0 };
    this.#nextId += 1;
    this.#active.push(active);
    return {
      id: active.id,
      get hits() {
        return active.hits;
      },
      remove: () => this.remove(active.id),
    };
  }

  remove(id: number): void {
    this.#active = this.#active.filter((active) => active.id !== id);
  }

  clear(): void {
    this.#active = [];
  }

  /** What is still to come. */
  list(): { id: number; hits: number; fault: TelegramFault }[] {
    return this.#active.map(({ id, hits, fault }) => ({ id, hits, fault }));
  }

  /** Takes the fault for a call, or null. */
  take(target: FaultTarget): TelegramFault | null {
    const active = this.#active.find(({ fault }) => matches(fault, target));
    if (!active) return null;
    active.hits += 1;
    active.left -= 1;
    if (active.left <= 0) this.remove(active.id);
    return active.fault;
  }
}

function matches(scope: FaultScope, target: FaultTarget): boolean {
  return (
    (scope.botId === undefined || scope.botId === target.botId) &&
    (scope.method === undefined || scope.method.toLowerCase() === target.method) &&
    (scope.chatId === undefined || String(scope.chatId) === target.chatId)
  );
}
