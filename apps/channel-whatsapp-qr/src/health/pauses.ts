// The pauses that WhatsApp's refusals make: they outlive the process, and the next owner keeps silent for as long.
import type { ConnectorContext } from "@thikaa/connector-kit";
import type { ConnectionReason } from "@thikaa/schema";
import { z } from "zod";
import { Breaker, neverTripped } from "./breaker.ts";

const tripped = z.object({ until: z.number(), trips: z.number() });
const record = z.object({
  tooMuch: tripped,
  noFirst: tripped,
  /** Of the last refusal. */
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
});
type PausesRecord = z.infer<typeof record>;
type Context = Pick<ConnectorContext, "state" | "clock" | "log">;

const key = "pauses";
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const none: PausesRecord = { tooMuch: neverTripped, noFirst: neverTripped, reason: null };

export class Pauses {
  /** Nothing is sent at all. */
  readonly tooMuch: Breaker;
  /** Nobody is written to who never wrote. */
  readonly noFirst: Breaker;
  readonly #context: Context;
  #reason: ConnectionReason | null;
  #kept: Promise<void> = Promise.resolve();

  constructor(context: Context, found: PausesRecord = none) {
    const now = () => context.clock().getTime();
    this.#context = context;
    this.#reason = found.reason;
    this.tooMuch = new Breaker({
      firstMs: minuteMs,
      lastMs: hourMs,
      now,
      tripped: found.tooMuch,
    });
    this.noFirst = new Breaker({
      firstMs: hourMs,
      lastMs: 24 * hourMs,
      now,
      tripped: found.noFirst,
    });
  }

  /** As an earlier owner left them. */
  static async load(context: Context): Promise<Pauses> {
    const text = (await context.state.get([key])).get(key);
    return new Pauses(context, text === undefined ? none : record.parse(JSON.parse(text)));
  }

  /** Why the last one was made; `null` when there was none. */
  get reason(): ConnectionReason | null {
    return this.#reason;
  }

  /** Notes that one was made. */
  made({ code, message }: ConnectionReason): void {
    this.#reason = { code, message };
    this.#keep();
  }

  /** Something was taken. */
  passed({ isFirst }: { isFirst: boolean }): void {
    const passed = [this.tooMuch.passed(), isFirst && this.noFirst.passed()];
    if (passed.includes(true)) this.#keep();
  }

  /** Resolves when all of it is written, or can't be. */
  settled(): Promise<void> {
    return this.#kept;
  }

  /** Soon, and one after the other: nobody waits for it. What can't be written holds here at least. */
  #keep(): void {
    const { state, log } = this.#context;
    const { tripped: tooMuch } = this.tooMuch;
    const { tripped: noFirst } = this.noFirst;
    const now: PausesRecord = { tooMuch, noFirst, reason: this.#reason };
    this.#kept = this.#kept
      .then(() => state.set({ [key]: JSON.stringify(now) }))
      .catch((error: unknown) => log.warn({ error }, "a pause could not be kept"));
  }
}
