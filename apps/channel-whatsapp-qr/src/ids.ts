// WhatsApp's ids: the one place where recipients, threads, message ids and item keys are made and read.
import { createHash } from "node:crypto";

/** A person as WhatsApp knows them: by phone number, by LID (WhatsApp's own lasting number of a person), mostly by both. */
export interface Person {
  /** Digits, with the country code. */
  readonly number: string | null;
  /** Digits. */
  readonly lid: string | null;
}

/** An address on WhatsApp's wire, without the device. */
export interface Jid {
  readonly user: string;
  readonly server: string;
}

const jidShape = /^([^@:]+)(?::\d+)?@([a-z.]+)$/;
const numberServers: readonly string[] = ["s.whatsapp.net", "hosted", "c.us"];
const lidServers: readonly string[] = ["lid", "hosted.lid"];

/** `null` when it is none. */
export function readJid(text: string | null | undefined): Jid | null {
  const [, user, server] = jidShape.exec(text ?? "") ?? [];
  return user === undefined || server === undefined ? null : { user, server };
}

/** The person that these addresses mean; `null` when they mean a group, a broadcast or nobody. */
export function personOf(...jids: readonly (string | null | undefined)[]): Person | null {
  const known = jids.flatMap((jid) => readJid(jid) ?? []);
  const number = known.find(({ server }) => numberServers.includes(server))?.user ?? null;
  const lid = known.find(({ server }) => lidServers.includes(server))?.user ?? null;
  return number === null && lid === null ? null : { number, lid };
}

export function numberJid(number: string): string {
  return `${number}@s.whatsapp.net`;
}

export function lidJid(lid: string): string {
  return `${lid}@lid`;
}

/** The form of `to`, `from` and threads: the number, or `<lid>@lid` of somebody whose number WhatsApp keeps from us. */
export function writeRecipient({ number, lid }: Person): string | null {
  return number ?? (lid === null ? null : lidJid(lid));
}

/** Reads what `writeRecipient` wrote; `null` for anything else. */
export function readRecipient(to: string): Person | null {
  if (/^\d{5,20}$/.test(to)) return { number: to, lid: null };
  const [, lid] = /^(\d{5,20})@lid$/.exec(to) ?? [];
  return lid === undefined ? null : { number: null, lid };
}

/**
 * WhatsApp's id of a part, in the form that WhatsApp Web gives its own: the same in every attempt, so that a part which is
 * sent again is the same message to everybody who has it.
 */
export function writePartId(part: { connectionId: string; messageId: string; n: number }): string {
  const digest = createHash("sha256")
    .update(`${part.connectionId}/${part.messageId}/${part.n}`)
    .digest("hex");
  return `3EB0${digest.slice(0, 18).toUpperCase()}`;
}

/** The key by which a message that comes again is known, whichever of the sender's two addresses it came from. */
export function writeItemKey(from: Person, messageId: string): string {
  return `${from.lid === null ? `${from.number ?? ""}` : lidJid(from.lid)}/${messageId}`;
}
