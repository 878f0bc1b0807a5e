// The linked device that a connection is on WhatsApp: where its keys lie, whose it is, and what becomes of keys that no longer open anything.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { z } from "zod";
import { AuthState } from "./platform/auth-state.ts";
import type { KeyShelf } from "./platform/key-store.ts";

const record = z.object({
  /** Counts pairings; the keys of each lie under a name of their own. */
  pairing: z.number().int(),
  /** The number it was first paired with; it stays with that one. */
  number: z.string().nullable(),
  /** Pairings that ended: their keys open nothing any more and go after a while. */
  aside: z.array(z.object({ pairing: z.number().int(), at: z.number() })),
});
type DeviceRecord = z.infer<typeof record>;

const recordKey = "device";

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
      text === undefined ? { pairing: 1, number: null, aside: [] } : record.parse(JSON.parse(text)),
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

  /** Puts the keys aside: the next pairing begins with new ones. */
  async unlinked(): Promise<void> {
    const { pairing, aside } = this.#record;
    await this.#write({
      ...this.#record,
      pairing: pairing + 1,
      aside: [...aside, { pairing, at: this.#context.clock().getTime() }],
    });
  }

  /** Deletes the credentials of pairings that were put aside long enough ago: without them their keys are of no use. */
  async forgetOld(quarantineMs: number): Promise<void> {
    const until = this.#context.clock().getTime() - quarantineMs;
    const old = this.#record.aside.filter(({ at }) => at <= until);
    if (old.length === 0) return;
    const gone = old.map(({ pairing }): [string, null] => [
      AuthState.credentialsKey(this.#prefix(pairing)),
      null,
    ]);
    await this.#context.state.set(Object.fromEntries(gone));
    await this.#write({
      ...this.#record,
      aside: this.#record.aside.filter(({ at }) => at > until),
    });
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
