// What is kept of a connection's traffic: items for the inbox, which messages were read already, and what was sent.
import type { ConnectorContext, RawItem } from "@thikaa/connector-kit";
import { z } from "zod";
import { personOf, writeItemKey, writeRecipient } from "./ids.ts";
import type {
  AnyEnvelope,
  Envelope,
  ReceiptEnvelope,
  UndecryptedEnvelope,
} from "./inbound/envelope.ts";
import type { Kept, Keeper } from "./platform/intake.ts";

/** A message comes again when its receipt was lost with the process: those that were on their way are remembered. */
const remembered = 64;
/** What was sent is given again to devices that could not read it, as long as it is among about so many. */
const mostSent = 1024;
const mostWriters = 5_000;
const longestRetryMs = 24 * 3_600_000;

const sentMessage = z.object({ id: z.string(), at: z.number(), message: z.string() });

type Context = Pick<ConnectorContext, "state" | "received" | "clock">;

/** One for each socket: what it remembers is what the database has, as far as no write failed. */
export class Keeping implements Keeper {
  readonly #context: Context;
  /** By the order in which they came. */
  readonly #recent: Map<number, string>;
  /** People noted as having written, by this object. */
  readonly #wrote = new Set<string>();
  #next: number;

  private constructor(context: Context, recent: Map<number, string>) {
    this.#context = context;
    this.#recent = recent;
    this.#next = Math.max(-1, ...recent.keys()) + 1;
  }

  static async load(context: Context): Promise<Keeping> {
    const keys = Array.from({ length: remembered }, (_, place) => recentKey(place));
    const kept = await context.state.get(keys);
    return new Keeping(
      context,
      new Map(
        [...kept.values()].map((text) => {
          const [, place = "0", name = ""] = /^(\d+) (.*)$/.exec(text) ?? [];
          return [Number(place), name];
        }),
      ),
    );
  }

  isKept(message: { id: string; own: boolean }): boolean {
    return [...this.#recent.values()].includes(recentName(message));
  }

  keepMessage(envelope: Envelope): Kept {
    const place = this.#next++;
    const name = recentName(envelope);
    this.#recent.set(place, name);
    this.#recent.delete(place - remembered);
    return {
      items: [itemOf(envelope)],
      values: {
        [recentKey(place % remembered)]: `${place} ${name}`,
        ...this.#writer(envelope),
      },
    };
  }

  keepUndecrypted(envelope: UndecryptedEnvelope): Kept {
    return { items: [itemOf(envelope)], values: {} };
  }

  async keepReceipts(envelopes: readonly ReceiptEnvelope[]): Promise<void> {
    await this.#context.received(envelopes.map(itemOf));
  }

  #writer(envelope: Envelope): Readonly<Record<string, string>> {
    const thread = threadOf(envelope);
    if (envelope.own || this.#wrote.has(thread)) return {};
    if (this.#wrote.size >= mostWriters) this.#wrote.clear();
    this.#wrote.add(thread);
    return { [wroteKey(thread)]: "1" };
  }

  /** What keeps a message that is about to be sent. */
  sentValues(id: string, message: Uint8Array): Readonly<Record<string, string>> {
    const at = this.#context.clock().getTime();
    const kept = { id, at, message: Buffer.from(message).toString("base64") };
    return { [sentKey(id)]: JSON.stringify(kept) };
  }

  async sentMessage(id: string): Promise<Uint8Array | null> {
    const key = sentKey(id);
    const text = (await this.#context.state.get([key])).get(key);
    const kept = text === undefined ? undefined : sentMessage.safeParse(JSON.parse(text)).data;
    if (kept?.id !== id || this.#context.clock().getTime() - kept.at > longestRetryMs) return null;
    return Buffer.from(kept.message, "base64");
  }
}

/** For a socket that is opened only to be unlinked: what comes in meanwhile is neither read nor kept. The phone has it. */
export const keepNothing: Keeper = {
  isKept: () => true,
  keepMessage: () => ({ items: [], values: {} }),
  keepUndecrypted: () => ({ items: [], values: {} }),
  keepReceipts: () => Promise.resolve(),
  sentMessage: () => Promise.resolve(null),
};

/** Whether a person has written: they may be answered without being a first contact. */
export function wroteKey(recipient: string): string {
  return `wrote/${recipient}`;
}

function recentName({ id, own }: { id: string; own: boolean }): string {
  return `${own ? "own" : "in"}/${id}`;
}

function recentKey(place: number): string {
  return `recent/${place}`;
}

/** Messages share places by their ids: a later one takes the place of an earlier one. */
function sentKey(id: string): string {
  const hash = Number.parseInt(id.slice(-6), 16);
  return `sent/${Number.isNaN(hash) ? 0 : hash % mostSent}`;
}

function threadOf({ chat, alt }: { chat: string; alt: string | null }): string {
  const person = personOf(chat, alt);
  return (person === null ? null : writeRecipient(person)) ?? chat;
}

function itemOf(envelope: AnyEnvelope): RawItem {
  const raw = JSON.stringify(envelope);
  if (envelope.kind === "undecrypted")
    return { key: `undecrypted/${envelope.chat}/${envelope.id}`, thread: "undecrypted", raw };
  const thread = threadOf(envelope);
  const chat = personOf(envelope.chat, envelope.alt);
  if (envelope.kind === "receipt")
    return { key: `${envelope.status}/${writeItemKey(chat ?? nobody, envelope.id)}`, thread, raw };
  const key = writeItemKey(personOf(envelope.participant) ?? chat ?? nobody, envelope.id);
  return { key: envelope.own ? `own/${key}` : key, thread, raw };
}

const nobody = { number: null, lid: null };
