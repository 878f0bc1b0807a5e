// Sends as a careful client does: each message with its own Idempotency-Key, asked again until the answer is known.
import { setTimeout as pause } from "node:timers/promises";
import { firstLine } from "./house.ts";
import type { Played, Recipient } from "./house.ts";
import { pick } from "./random.ts";

/** A message that was to be sent, and what came of it. Written before the first try. */
export interface Intent {
  /** The first line of its text and its Idempotency-Key: known at the stand-in by it. */
  readonly key: string;
  readonly lane: string;
  readonly place: number;
  /** The first lines of its parts, as the stand-in gets them. */
  readonly parts: readonly string[];
  /** When and as what it was accepted; `null` while that is unknown. */
  accepted: { readonly at: number; readonly messageId: string } | null;
}

/** One answer, or none (`status: null`). */
export interface Answer {
  readonly at: number;
  readonly status: number | null;
  readonly retryAfter: string | null;
  /** Whether an earlier try had been accepted, and its answer was lost. */
  readonly replayed: boolean;
}

export interface DriverOptions {
  readonly house: Pick<
    Played,
    "slug" | "apiKey" | "gateways" | "lanes" | "onArrival" | "longestPart"
  >;
  /** The first word of its texts. */
  readonly name: string;
  readonly random: () => number;
  readonly lanes?: readonly Recipient[];
  /** Where it sends to; the house's gateways by default. */
  readonly gateways?: (() => readonly string[]) | undefined;
}

const tryWithinMs = 15_000;
const againAfterMs = 150;
/** Messages of one lane that are accepted and not yet with the person: more would only queue. */
const window = 3;
/** One message in so many is longer than the provider takes at once, where it has such a limit, and goes as two parts. */
const longOneIn = 8;

/** Writes to every lane at once, in each lane one message after the other. */
export class Driver {
  readonly intents: Intent[] = [];
  readonly answers: Answer[] = [];
  readonly name: string;
  readonly #options: DriverOptions;
  /** First lines of what people have got. */
  readonly #arrived = new Set<string>();
  #stopped = false;
  #lanes: Promise<void> = Promise.resolve();

  constructor(options: DriverOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Begins to send; each lane rests `restMs` after each accepted message. */
  start(restMs: number): void {
    const { house, lanes = house.lanes } = this.#options;
    const deaf = house.onArrival((text) => this.#arrived.add(firstLine(text)));
    const writing = lanes.map((lane) => this.#write(lane, restMs));
    this.#lanes = Promise.all(writing).then(deaf, (error: unknown) => {
      deaf();
      throw error;
    });
    // Heard by `stop`; until then a refusal must not end the tests' process.
    this.#lanes.catch(() => {});
  }

  /** Begins no further message, and resolves when every one that was begun is known. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lanes;
  }

  async #write(lane: Recipient, restMs: number): Promise<void> {
    // Lanes that begin together would stay together.
    await pause(this.#options.random() * restMs);
    const onTheWay: string[] = [];
    for (let place = 1; !this.#stopped; place += 1) {
      const { intent, text } = this.#compose(lane, place);
      this.intents.push(intent);
      await this.#sendUntilKnown({ intent, text, lane });
      onTheWay.push(intent.parts.at(-1) ?? "");
      while (!this.#stopped && this.#stillOnTheWay(onTheWay) >= window) await pause(20);
      await pause(restMs);
    }
  }

  #stillOnTheWay(sent: string[]): number {
    while (sent[0] !== undefined && this.#arrived.has(sent[0])) sent.shift();
    return sent.length;
  }

  #compose(lane: Recipient, place: number): { intent: Intent; text: string } {
    const key = `${this.name} ${lane.name} ${place}`;
    const { longestPart } = this.#options.house;
    const intent = { key, lane: lane.name, place, parts: [key], accepted: null };
    if (longestPart === null || place % longOneIn !== 0) return { intent, text: key };
    const second = `${key} (2)`;
    const padding = "x".repeat(longestPart - key.length - 1);
    return {
      intent: { ...intent, parts: [key, second] },
      text: `${key}\n${padding}\n\n${second}`,
    };
  }

  async #sendUntilKnown(sending: { intent: Intent; text: string; lane: Recipient }): Promise<void> {
    for (;;) {
      const messageId = await this.#send(sending);
      if (messageId !== null) {
        sending.intent.accepted = { at: Date.now(), messageId };
        return;
      }
      await pause(againAfterMs);
    }
  }

  /** One try at any gateway; the message's id once it is accepted. Throws when the request itself is refused. */
  async #send({ intent, text, lane }: { intent: Intent; text: string; lane: Recipient }) {
    const { house, random, gateways = () => house.gateways() } = this.#options;
    const open = gateways();
    if (open.length === 0) return null;
    const response = await fetch(`${pick(random, open)}/${house.slug}/api/messaging?action=send`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${house.apiKey}`,
        "Content-Type": "application/json",
        "Idempotency-Key": intent.key,
      },
      body: JSON.stringify({ ...lane.address, message: text }),
      signal: AbortSignal.timeout(tryWithinMs),
    }).catch(() => null);
    this.answers.push({
      at: Date.now(),
      status: response?.status ?? null,
      retryAfter: response?.headers.get("retry-after") ?? null,
      replayed: response?.headers.get("idempotent-replayed") === "true",
    });
    const body = (await response?.json().catch(() => null)) as {
      message_id?: string;
      message?: string;
    } | null;
    if (response?.status === 200) return body?.message_id ?? null;
    if (response !== null && response.status < 500 && ![409, 429].includes(response.status))
      throw new Error(`${intent.key} was refused: ${response.status} ${body?.message ?? ""}`);
    return null;
  }
}

/** Customers who write in through the stand-in, one after the other. */
export class Customers {
  readonly said: { readonly text: string; readonly lane: string; readonly at: number }[] = [];
  readonly #house: Pick<Played, "lanes" | "says">;
  readonly #name: string;
  #stopped = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(house: Pick<Played, "lanes" | "says">, name: string) {
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
      this.#house.says(lane, text);
      this.said.push({ text, lane: lane.name, at: Date.now() });
      await pause(everyMs);
    }
  }
}
