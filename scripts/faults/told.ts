// What the webhook sink was told: every request is checked once and then forgotten, so that hours of them need no memory.
import { verifyWebhook } from "@thikaa/sdk";
import type { Played } from "./house.ts";

export interface Told {
  badSignatures: number;
  /** By a customer's text, the ids of the events that told of it. */
  readonly events: Map<string, Set<string>>;
  /** By a customer's text, the number of its event, and when it was told first. */
  readonly sequences: Map<string, number>;
  readonly firstAt: Map<string, number>;
  /** The numbers of all events, of every kind. */
  readonly numbers: Set<number>;
}

const all = new WeakMap<Played, Told>();

/** Reads what came since the last look, and gives everything that was told so far. */
export function toldTo(house: Played): Told {
  const told = all.get(house) ?? {
    badSignatures: 0,
    events: new Map<string, Set<string>>(),
    sequences: new Map<string, number>(),
    firstAt: new Map<string, number>(),
    numbers: new Set<number>(),
  };
  all.set(house, told);
  const ours = house.sink.received.filter(({ path }) => path === `/${house.slug}`);
  house.sink.received.length = 0;
  for (const { body, headers, receivedAt } of ours) {
    try {
      const event = verifyWebhook({ body, headers, secret: house.webhookSecret, now: receivedAt });
      told.numbers.add(event.sequence);
      if (event.event !== "message.received") continue;
      const text = String(event.data.message);
      told.events.set(text, (told.events.get(text) ?? new Set()).add(event.event_id));
      told.sequences.set(text, event.sequence);
      if (!told.firstAt.has(text)) told.firstAt.set(text, receivedAt);
    } catch {
      told.badSignatures += 1;
    }
  }
  return told;
}

/** Forgets the texts of scenes that were judged; numbers are still known. */
export function forgetTexts(house: Played): void {
  const told = toldTo(house);
  for (const texts of [told.events, told.sequences, told.firstAt]) texts.clear();
}
