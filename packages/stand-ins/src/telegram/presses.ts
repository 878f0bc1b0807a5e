// Presses of inline buttons: they must be answered within 150 seconds.
import { randomInt } from "node:crypto";
import type { Bot, TelegramState } from "./state.ts";

/** A press is kept, and may be answered, this long. */
export const PRESS_LIFETIME_MS = 150_000;

const pressesOf = new WeakMap<Bot, Map<string, number>>();

/** Notes a press and gives it an id. */
export function notePress(state: TelegramState, bot: Bot): string {
  const presses = pressesOf.get(bot) ?? new Map<string, number>();
  pressesOf.set(bot, presses);
  const id = `${bot.id}${randomInt(1_000_000_000, 9_999_999_999)}`;
  presses.set(id, state.clock.now());
  return id;
}

/** Whether this bot may still answer that press. Each press is answered once or more, like on the real server. */
export function isAnswerable(state: TelegramState, bot: Bot, id: string): boolean {
  const pressedAt = pressesOf.get(bot)?.get(id);
  return pressedAt !== undefined && state.clock.now() - pressedAt <= PRESS_LIFETIME_MS;
}
