// First contacts: how many people that never wrote may be written to today, fewer while the linked device is young.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { z } from "zod";

const record = z.object({
  /** The day that is counted, as `2026-11-22`. */
  day: z.string(),
  count: z.number().int(),
  /** When the first one was written to: the beginning of the warm-up. */
  since: z.number(),
});

const key = "first-contacts";
const dayMs = 24 * 3_600_000;
/** On the first day a fifth of the cap, on the second two fifths, and so on. */
const warmUpDays = 5;

export class FirstContacts {
  readonly #context: Pick<ConnectorContext, "state" | "clock">;
  readonly #mostADay: number;
  #last: Promise<unknown> = Promise.resolve();

  /** `mostADay` 0 sets no limit. */
  constructor(context: Pick<ConnectorContext, "state" | "clock">, mostADay: number) {
    this.#context = context;
    this.#mostADay = mostADay;
  }

  /** Counts one more. Gives 0 when it may be, else the milliseconds until one may. */
  take(): Promise<number> {
    if (this.#mostADay === 0) return Promise.resolve(0);
    const taking = this.#last.then(() => this.#take());
    this.#last = taking.catch(() => undefined);
    return taking;
  }

  async #take(): Promise<number> {
    const now = this.#context.clock();
    const day = now.toISOString().slice(0, 10);
    const text = (await this.#context.state.get([key])).get(key);
    const known = text === undefined ? undefined : record.safeParse(JSON.parse(text)).data;
    const since = known?.since ?? now.getTime();
    const count = known?.day === day ? known.count : 0;
    if (count >= this.#allowed(now.getTime() - since)) return msToNextDay(now);
    const next = JSON.stringify({ day, count: count + 1, since });
    await this.#context.state.set({ [key]: next });
    return 0;
  }

  #allowed(ageMs: number): number {
    const share = Math.min(1, (Math.floor(ageMs / dayMs) + 1) / warmUpDays);
    return Math.max(1, Math.floor(this.#mostADay * share));
  }
}

function msToNextDay(now: Date): number {
  return dayMs - (now.getTime() % dayMs);
}
