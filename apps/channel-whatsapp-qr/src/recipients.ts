// Recipients: whether a number has WhatsApp, and which of its two addresses is written to, chosen once and kept.
import type { ConnectorContext } from "@thikaa/connector-kit";
import { z } from "zod";
import { lidJid, numberJid, writeRecipient } from "./ids.ts";
import type { Person } from "./ids.ts";
import { wroteKey } from "./keeping.ts";
import type { WhatsAppSocket } from "./platform/socket.ts";

/** What is known of a recipient. */
export type Recipient =
  | { readonly kind: "known"; readonly jid: string; readonly isFirst: boolean }
  | { readonly kind: "not_on_whatsapp" }
  /** WhatsApp did not say. */
  | { readonly kind: "unknown" };

const record = z.object({
  /** `null` for a number without WhatsApp. */
  jid: z.string().nullable(),
  at: z.number(),
  /** Whether it was written to. */
  met: z.boolean(),
});
type Contact = z.infer<typeof record>;

/** A number that has no WhatsApp today may have one tomorrow. */
const absentMs = 24 * 3_600_000;
const mostCached = 2_000;

export class Recipients {
  readonly #context: Pick<ConnectorContext, "state" | "clock">;
  readonly #cached = new Map<string, Contact>();

  constructor(context: Pick<ConnectorContext, "state" | "clock">) {
    this.#context = context;
  }

  /** Looks a person up: here, else at WhatsApp. Rejects when the database is away. */
  async find(person: Person, socket: WhatsAppSocket): Promise<Recipient> {
    const name = writeRecipient(person) ?? "";
    const [contact, wrote] = await this.#read(name);
    if (contact !== null && contact.jid !== null)
      return { kind: "known", jid: contact.jid, isFirst: !contact.met && !wrote };
    if (contact !== null && this.#context.clock().getTime() - contact.at < absentMs)
      return { kind: "not_on_whatsapp" };
    const jid = await choose(person, { socket, wrote });
    if (jid === undefined) return { kind: "unknown" };
    await this.#write(name, { jid, at: this.#context.clock().getTime(), met: false });
    return jid === null ? { kind: "not_on_whatsapp" } : { kind: "known", jid, isFirst: !wrote };
  }

  /** The person is about to be written to: no first contact from now on. */
  async meet(person: Person, jid: string): Promise<void> {
    const name = writeRecipient(person) ?? "";
    await this.#write(name, { jid, at: this.#context.clock().getTime(), met: true });
  }

  async #read(name: string): Promise<[contact: Contact | null, wrote: boolean]> {
    const cached = this.#cached.get(name);
    // Who was written to is no first contact any more, whoever wrote first.
    if (cached?.met === true) return [cached, true];
    const kept = await this.#context.state.get([contactKey(name), wroteKey(name)]);
    const text = kept.get(contactKey(name));
    const contact = text === undefined ? null : (record.safeParse(JSON.parse(text)).data ?? null);
    if (contact !== null) this.#cache(name, contact);
    return [contact, kept.has(wroteKey(name))];
  }

  async #write(name: string, contact: Contact): Promise<void> {
    await this.#context.state.set({ [contactKey(name)]: JSON.stringify(contact) });
    this.#cache(name, contact);
  }

  #cache(name: string, contact: Contact): void {
    this.#cached.delete(name);
    this.#cached.set(name, contact);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > mostCached && oldest !== undefined) this.#cached.delete(oldest);
  }
}

/** `null` for a number without WhatsApp, `undefined` when nobody says. */
async function choose(
  { number, lid }: Person,
  { socket, wrote }: { socket: WhatsAppSocket; wrote: boolean },
): Promise<string | null | undefined> {
  if (number === null) return lid === null ? undefined : lidJid(lid);
  const known = await socket.knownLid(number);
  // Whoever wrote is answered at the LID, by which WhatsApp knows them; a first message goes to the number that was given.
  if (wrote) return known === null ? numberJid(number) : lidJid(known);
  const has = await socket.has(number);
  if (has === null) return undefined;
  return has ? numberJid(number) : null;
}

function contactKey(name: string): string {
  return `contact/${name}`;
}
