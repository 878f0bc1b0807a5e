// The linked device that a connection is on WhatsApp: where its keys lie, whose it is, and what becomes of keys that no longer open anything.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { z } from "zod";
import type { Ban } from "./ban.ts";
import { AuthState } from "./platform/auth-state.ts";
import type { KeyShelf } from "./platform/key-store.ts";
import type { Verdict } from "./verdicts.ts";

const record = z.object({
  /** Counts pairings; the keys of each lie under a name of their own. */
  pairing: z.number().int(),
  /** The number it was first paired with; it stays with that one. */
  number: z.string().nullable(),
  /** Pairings that ended: their keys open nothing any more and go after a while. */
  aside: z.array(z.object({ pairing: z.number().int(), at: z.number() })),
  /** WhatsApp did not take the keys when they were shown last. */
  refused: z.boolean().default(false),
  /** Nobody is let in with this number for a while. */
  ban: z.object({ until: z.number(), isTold: z.boolean() }).nullable().default(null),
});
type DeviceRecord = z.infer<typeof record>;

const recordKey = "device";
const unpaired = { pairing: 1, number: null, aside: [] };

export class LinkedDevice {
  readonly #context: Pick<ConnectorContext, "state" | "received" | "clock">;
  #record: DeviceRecord;

  private constructor(
    context: Pick<ConnectorContext, "state" | "received" | "clock">,
    found: DeviceRecord,
  ) {
    this.#context = context;
    this.#record = found;
  }

  static async load(
    context: Pick<ConnectorContext, "state" | "received" | "clock">,
  ): Promise<LinkedDevice> {
    const text = (await context.state.get([recordKey])).get(recordKey);
    return new LinkedDevice(
      context,
      record.parse(text === undefined ? unpaired : JSON.parse(text)),
    );
  }

  /** The number that it was paired with before; `null` when it never was. */
  get number(): string | null {
    return this.#record.number;
  }

  /** Credentials and keys, for one socket. */
  auth(onFault: (error: Error) => void): Promise<AuthState> {
    return AuthState.load({
      shelf: this.#shelf(),
      prefix: this.#prefix(this.#record.pairing),
      onFault,
    });
  }

  /** Notes whose it is. */
  async paired(number: string): Promise<void> {
    await this.#write({ ...this.#record, number });
  }

  /** The ban that has not ended yet, as far as is known. */
  get ban(): Ban | null {
    const { ban } = this.#record;
    return ban === null || ban.until <= this.#context.clock().getTime() ? null : ban;
  }

  /** Notes what lasts of a verdict. */
  async judged(verdict: Verdict): Promise<void> {
    if (verdict.kind === "stop" && verdict.unlinked === true) await this.unlinked();
    if (verdict.kind === "stop" && verdict.refused === true)
      await this.#write({ ...this.#record, refused: true });
    if (verdict.kind === "later" && verdict.ban !== undefined)
      await this.#write({ ...this.#record, ban: verdict.ban });
  }

  /** WhatsApp has let it in. */
  async accepted(): Promise<void> {
    const { refused, ban } = this.#record;
    if (refused || ban !== null) await this.#write({ ...this.#record, refused: false, ban: null });
  }

  /** A person pairs: no ban is waited for any more, and keys that WhatsApp does not take are put aside. */
  async pairedAnew(): Promise<void> {
    if (this.#record.refused) await this.unlinked();
    else await this.accepted();
  }

  /** Puts the keys aside: the next pairing begins with new ones. */
  async unlinked(): Promise<void> {
    const { pairing, aside } = this.#record;
    await this.#write({
      ...this.#record,
      refused: false,
      ban: null,
      pairing: pairing + 1,
      aside: [...aside, { pairing, at: this.#context.clock().getTime() }],
    });
  }

  /** Deletes everything of pairings that were put aside long enough ago, and forgets them. */
  async forgetOld(quarantineMs: number): Promise<void> {
    const old = this.#old(quarantineMs);
    if (old.length === 0) return;
    await this.deleteOld(quarantineMs);
    const aside = this.#record.aside.filter((pairing) => !old.includes(pairing));
    await this.#write({ ...this.#record, aside });
  }

  /** Deletes everything of those pairings; that they were there is left to `forgetOld`, since whoever has the device open writes that. */
  async deleteOld(quarantineMs: number): Promise<void> {
    for (const { pairing } of this.#old(quarantineMs))
      await this.#context.state.forget(this.#prefix(pairing));
  }

  #old(quarantineMs: number): DeviceRecord["aside"] {
    const until = this.#context.clock().getTime() - quarantineMs;
    return this.#record.aside.filter(({ at }) => at <= until);
  }

  #shelf(): KeyShelf {
    const { state, received } = this.#context;
    return {
      get: (keys) => state.get(keys),
      set: (values, items) => (items.length === 0 ? state.set(values) : received(items, values)),
    };
  }

  #prefix(pairing: number): string {
    return `pairing-${pairing}/`;
  }

  async #write(changed: DeviceRecord): Promise<void> {
    await this.#context.state.set({ [recordKey]: JSON.stringify(changed) });
    this.#record = changed;
  }
}
