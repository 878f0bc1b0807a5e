// Flood control: who sends too fast is told to wait, by the stand-in's own clock. The real limits are nowhere written; these are what people met.
import { tooManyRequests } from "./api-error.ts";
import type { Clock } from "../clock.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** So many messages within a time. */
interface Limit {
  readonly messages: number;
  readonly withinMs: number;
}

/** To one person: about one a second, with short bursts. */
const TO_PERSON: Limit = { messages: 5, withinMs: 5 * SECOND_MS };
/** To one group or channel. */
const TO_GROUP: Limit = { messages: 20, withinMs: MINUTE_MS };
/** Of one bot, to all its chats. */
const OF_BOT: Limit = { messages: 30, withinMs: SECOND_MS };

export class FloodControl {
  readonly #clock: Clock;
  /** When the last messages of a bot, or to a chat of it, were taken. */
  readonly #taken = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a message that is about to be taken. Throws 429 with the time to wait when it is one too many; then it does not count. */
  check(bot: number, chatId: string): void {
    const now = this.#clock.now();
    const toGroup = chatId.startsWith("-") || chatId.startsWith("@");
    const lanes: [string, Limit][] = [
      [`${bot}`, OF_BOT],
      [`${bot}/${chatId}`, toGroup ? TO_GROUP : TO_PERSON],
    ];
    const waits = lanes.map(([lane, limit]) => this.#wait(lane, limit, now));
    const waitMs = Math.max(...waits);
    if (waitMs > 0) throw tooManyRequests(Math.ceil(waitMs / SECOND_MS));
    for (const [lane] of lanes) this.#taken.get(lane)?.push(now);
  }

  /** Milliseconds until the lane has room. */
  #wait(lane: string, { messages, withinMs }: Limit, now: number): number {
    const recent = (this.#taken.get(lane) ?? []).filter((at) => at > now - withinMs);
    this.#taken.set(lane, recent);
    const [oldest = now] = recent.slice(-messages);
    return recent.length < messages ? 0 : oldest + withinMs - now;
  }
}
