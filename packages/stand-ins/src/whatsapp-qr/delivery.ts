// Brings stanzas to linked devices: at once, or when they log in again; each until it is receipted.
import type { LinkedState, Pending } from "./devices.ts";
import type { Link } from "./link.ts";
import type { PhoneState } from "./phones.ts";
import type { Faults } from "./faults.ts";
import { childOf, node, SERVER, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { Clock } from "../clock.ts";

/** A linked device that is logged in. */
export interface OpenLink {
  link: Link;
  phone: PhoneState;
  linked: LinkedState;
  /** Whether what waited has been sent: only then do new stanzas follow. */
  ready: boolean;
  sent: Set<Pending>;
}

/** One-time keys below which the server asks for more. */
const FEW_PRE_KEYS = 5;

export class Delivery {
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #open = new Map<LinkedState, OpenLink>();
  #nextId = 1;

  constructor(options: { faults: Faults; clock: Clock; changed: () => void }) {
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#changed = options.changed;
  }

  openLink(linked: LinkedState): OpenLink | null {
    return this.#open.get(linked) ?? null;
  }

  openLinks(): OpenLink[] {
    return [...this.#open.values()];
  }

  /** The device has logged in: it is told how much waits, and asks for it. */
  begin(phone: PhoneState, linked: LinkedState, link: Link): void {
    this.#open.set(linked, { link, phone, linked, ready: false, sent: new Set() });
    const count = String(linked.pending.length);
    link.send(node("ib", { from: SERVER }, [node("offline_preview", { count, message: count })]));
  }

  /** The device asks for what waits. */
  release(linked: LinkedState): void {
    const open = this.#open.get(linked);
    if (open === undefined || open.ready) return;
    if (this.#faults.has("deaf", open.phone.number)) return this.#endOffline(open, 0);
    const waiting = [...linked.pending];
    for (const pending of waiting) this.#send(open, pending, true);
    this.#endOffline(open, waiting.length);
  }

  end(linked: LinkedState, link: Link): boolean {
    if (this.#open.get(linked)?.link !== link) return false;
    return this.#open.delete(linked);
  }

  /** Puts a stanza on its way. */
  push(phone: PhoneState, linked: LinkedState, pending: Pending): void {
    if (!phone.linked.includes(linked)) return;
    linked.pending.push(pending);
    const open = this.#open.get(linked);
    if (open?.ready) this.#send(open, pending, false);
    this.#changed();
  }

  /** The client has these; the oldest of each id leaves. */
  acknowledge(linked: LinkedState, kind: Pending["kind"], ids: readonly string[]): void {
    for (const id of ids) {
      const index = linked.pending.findIndex(
        (pending) => pending.kind === kind && pending.id === id,
      );
      if (index >= 0) linked.pending.splice(index, 1);
    }
    this.#changed();
  }

  /** Sends what stayed behind; called when a fault ends. */
  flush(): void {
    for (const open of this.#open.values())
      if (open.ready)
        for (const pending of open.linked.pending)
          if (!open.sent.has(pending)) this.#send(open, pending, false);
  }

  /** Asks for one-time keys when few are left. */
  watchPreKeys(phone: PhoneState, linked: LinkedState): void {
    const left = linked.preKeys.length;
    const asked = linked.pending.some(
      ({ node: { attrs } }) => attrs["type"] === "encrypt" && attrs["from"] === SERVER,
    );
    if (left < FEW_PRE_KEYS && !asked)
      this.notify(phone, linked, {
        type: "encrypt",
        child: node("count", { value: String(left) }),
      });
  }

  /** An id for a stanza of the server. */
  newId(): string {
    this.#nextId += 1;
    return `${this.#clock.now()}-${this.#nextId}`;
  }

  /** Puts a notification on its way; mostly it is the server's own. */
  notify(
    phone: PhoneState,
    linked: LinkedState,
    { type, child, from = SERVER }: { type: string; child: WireNode; from?: string },
  ): void {
    const id = this.newId();
    const attributes = { from, type, id, t: seconds(this.#clock.now()) };
    const notification = node("notification", attributes, [child]);
    this.push(phone, linked, { kind: "notification", id, node: notification });
  }

  #send(open: OpenLink, pending: Pending, offline: boolean): void {
    if (this.#faults.has("deaf", open.phone.number)) return;
    const { tag, attrs, content } = pending.node;
    const stanza = node(tag, { ...attrs, ...(offline ? { offline: "1" } : {}) }, content);
    if (open.link.send(stanza)) open.sent.add(pending);
  }

  #endOffline(open: OpenLink, count: number): void {
    open.ready = true;
    if (this.#faults.take("no_offline_end", open.phone.number) !== null) return;
    open.link.send(node("ib", { from: SERVER }, [node("offline", { count: String(count) })]));
  }
}

/** Whether the client asks for what waits. */
export function asksForOffline(received: WireNode): boolean {
  return received.tag === "ib" && childOf(received, "offline_batch") !== undefined;
}
