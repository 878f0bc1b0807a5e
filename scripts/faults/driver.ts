// Sends as a careful client does: each message with its own Idempotency-Key, asked again until the answer is known.
import { setTimeout as pause } from "node:timers/promises";
import type { FaultHouse, Lane } from "./house.ts";
import { pick } from "./random.ts";

/** A message that was to be sent, and what came of it. Written before the first try. */
export interface Intent {
  /** Its text and its Idempotency-Key: known at the stand-in by it. */
  readonly text: string;
  readonly lane: string;
  readonly place: number;
  readonly begunAt: number;
  /** When and as what it was accepted; `null` while that is unknown. */
  accepted: { readonly at: number; readonly messageId: string } | null;
}

/** One answer, or none (`status: null`). */
export interface Answer {
  readonly at: number;
  readonly status: number | null;
  readonly retryAfter: string | null;
}

const tryWithinMs = 15_000;
const againAfterMs = 150;

/** Writes to every lane at once, in each lane one message after the other. */
export class Driver {
  readonly intents: Intent[] = [];
  readonly answers: Answer[] = [];
  readonly #house: FaultHouse;
  /** The first word of its texts. */
  readonly name: string;
  readonly #random: () => number;
  #stopped = false;
  #lanes: Promise<void> = Promise.resolve();

  constructor(house: FaultHouse, name: string, random: () => number) {
    this.#house = house;
    this.name = name;
    this.#random = random;
  }

  /** Begins to send; each lane rests `restMs` after each accepted message. */
  start(restMs: number): void {
    const lanes = this.#house.lanes.map((lane) => this.#write(lane, restMs));
    this.#lanes = Promise.all(lanes).then(() => {});
  }

  /** Begins no further message, and resolves when every one that was begun is known. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lanes;
  }

  async #write(lane: Lane, restMs: number): Promise<void> {
    // Lanes that begin together would stay together.
    await pause(this.#random() * restMs);
    for (let place = 1; !this.#stopped; place += 1) {
      const text = `${this.name} ${lane.name} ${place}`;
      const intent: Intent = { text, lane: lane.name, place, begunAt: Date.now(), accepted: null };
      this.intents.push(intent);
      await this.#sendUntilKnown(intent, lane);
      await pause(restMs);
    }
  }

  async #sendUntilKnown(intent: Intent, lane: Lane): Promise<void> {
    for (;;) {
      const messageId = await this.#send(intent, lane);
      if (messageId !== null) {
        intent.accepted = { at: Date.now(), messageId };
        return;
      }
      await pause(againAfterMs);
    }
  }

  /** One try at any gateway; the message's id once it is accepted. Throws when the request itself is refused. */
  async #send(intent: Intent, lane: Lane): Promise<string | null> {
    const gateway = pick(this.#random, this.#house.services.of("gateway"));
    const response = await fetch(`${gateway.url}/${this.#house.store}/api/messaging?action=send`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${this.#house.apiKey}`,
        "Content-Type": "application/json",
        "Idempotency-Key": intent.text,
      },
      body: JSON.stringify({
        channel: "tg",
        to: String(lane.personId),
        message: intent.text,
        connection_id: lane.bot.connectionId,
      }),
      signal: AbortSignal.timeout(tryWithinMs),
    }).catch(() => null);
    const retryAfter = response?.headers.get("retry-after") ?? null;
    this.answers.push({ at: Date.now(), status: response?.status ?? null, retryAfter });
    const body = (await response?.json().catch(() => null)) as {
      message_id?: string;
      message?: string;
    } | null;
    if (response?.status === 200) return body?.message_id ?? null;
    if (response !== null && response.status < 500 && ![409, 429].includes(response.status))
      throw new Error(`${intent.text} was refused: ${response.status} ${body?.message ?? ""}`);
    return null;
  }
}

/** Customers who write to the bots through the stand-in, one after the other. */
export class Customers {
  readonly said: { readonly text: string; readonly lane: string }[] = [];
  readonly #house: FaultHouse;
  readonly #name: string;
  #stopped = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(house: FaultHouse, name: string) {
    this.#house = house;
    this.#name = name;
  }

  start(everyMs: number): void {
    this.#writing = this.#write(everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  async #write(everyMs: number): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const lane = this.#house.lanes[number % this.#house.lanes.length];
      if (lane === undefined) return;
      const text = `${this.#name} said ${number}`;
      this.#house.standIn.personSays({ personId: lane.personId, botId: lane.bot.botId, text });
      this.said.push({ text, lane: lane.name });
      await pause(everyMs);
    }
  }
}
