// Scripted faults: what the stand-in does wrong on purpose, to whom, and how often.

/** Whom a fault is for, and how often; what is left out matches everything. */
export interface FaultScope {
  /** Number of the phone whose linked devices it strikes. */
  phone?: string | undefined;
  /** How many times; 1 when left out, "always" until removed. */
  times?: number | "always" | undefined;
}

/**
 * One fault.
 * - `login_failure`: the next login is refused with this reason (401, 402, 403, 405, 503…).
 * - `refuse_message`: a message gets an acknowledgement with this error (463, 479…) and reaches nobody. `to`: a number.
 * - `no_ack`: a message reaches everybody, its acknowledgement is left out.
 * - `no_read_ack`: a mark of reading counts, its acknowledgement is left out.
 * - `drop_before_message`, `drop_after_message`: the connection is reset when a message comes; after: everybody has it.
 * - `mute`: nothing is answered and nothing sent, from the handshake on. Use `times: "always"` and remove it.
 * - `deaf`: questions are answered, but messages, receipts and notifications stay behind. As `mute`.
 * - `slow`: each answer to a question waits.
 * - `refuse_query`: a question gets an error (429, 500…). `about`: how its name begins, as in the record: "usync get".
 * - `ignore_query`: a question gets no answer.
 * - `no_offline_end`: after a login the client is never told that what waited has come.
 * - `companion_refresh`: a scan fails, and the client is told that its secret is retired.
 * - `scan_failure`: a scan fails, and the client is told nothing.
 * - `media`: an upload or a download is answered by this status. It has no phone.
 */
export type WhatsAppWebFault = FaultScope &
  (
    | { kind: "login_failure"; reason: number; attributes?: Record<string, string> | undefined }
    | { kind: "refuse_message"; error: number; to?: string | undefined }
    | { kind: "no_ack" }
    | { kind: "no_read_ack" }
    | { kind: "drop_before_message" }
    | { kind: "drop_after_message" }
    | { kind: "mute" }
    | { kind: "deaf" }
    | { kind: "slow"; delayMs: number }
    | { kind: "refuse_query"; about: string; error: number; text?: string | undefined }
    | { kind: "ignore_query"; about: string }
    | { kind: "no_offline_end" }
    | { kind: "companion_refresh" }
    | { kind: "scan_failure" }
    | { kind: "media"; direction: "upload" | "download"; status: number }
  );

/** A fault that was added. */
export interface FaultHandle {
  readonly id: number;
  /** How many times it has struck. */
  readonly hits: number;
  remove(): void;
}

interface ActiveFault {
  id: number;
  fault: WhatsAppWebFault;
  left: number;
  hits: number;
}

/** The faults of one stand-in; the oldest that matches is used. */
export class Faults {
  readonly #changed: () => void;
  #active: ActiveFault[] = [];
  #nextId = 1;

  /** `changed` is called after each addition and removal. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  add(fault: WhatsAppWebFault): FaultHandle {
    const left = fault.times === "always" ? Number.POSITIVE_INFINITY : (fault.times ?? 1);
    const active: ActiveFault = { id: this.#nextId, fault, left, hits: 0 };
    this.#nextId += 1;
    this.#active.push(active);
    this.#changed();
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
    this.#changed();
  }

  clear(): void {
    this.#active = [];
    this.#changed();
  }

  /** What is still to come. */
  list(): { id: number; hits: number; fault: WhatsAppWebFault }[] {
    return this.#active.map(({ id, hits, fault }) => ({ id, hits, fault }));
  }

  /** Whether a fault of this kind is there, without using it up. */
  has(kind: WhatsAppWebFault["kind"], phone: string | null): boolean {
    return this.#active.some(({ fault }) => fault.kind === kind && isFor(fault, phone));
  }

  /** Takes a fault of this kind, or null. */
  take<Kind extends WhatsAppWebFault["kind"]>(
    kind: Kind,
    phone: string | null,
    fits: (fault: Extract<WhatsAppWebFault, { kind: Kind }>) => boolean = () => true,
  ): Extract<WhatsAppWebFault, { kind: Kind }> | null {
    for (const active of this.#active) {
      if (!isKind(active.fault, kind) || !isFor(active.fault, phone) || !fits(active.fault))
        continue;
      active.hits += 1;
      active.left -= 1;
      if (active.left <= 0) this.remove(active.id);
      return active.fault;
    }
    return null;
  }
}

function isKind<Kind extends WhatsAppWebFault["kind"]>(
  fault: WhatsAppWebFault,
  kind: Kind,
): fault is Extract<WhatsAppWebFault, { kind: Kind }> {
  return fault.kind === kind;
}

function isFor(fault: WhatsAppWebFault, phone: string | null): boolean {
  return fault.phone === undefined || fault.phone === phone;
}
