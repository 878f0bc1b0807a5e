// Converts what came in to the shared schema. Pure, lenient, never throws.
import type { RawItem } from "@thikaa/connector-kit";
import type { Converted, InboundContact } from "@thikaa/schema";
import { personOf, readJid, writeRecipient } from "../ids.ts";
import type { Person } from "../ids.ts";
import { contentOf } from "./content.ts";
import type { Content } from "./content.ts";
import { anyEnvelope } from "./envelope.ts";
import type { Envelope, ReceiptEnvelope } from "./envelope.ts";
import { emptyMessage, isoTime, notice, parseJson } from "./parts.ts";
import { saidIn, wordOf } from "./unwrap.ts";

/** What WhatsApp's devices tell each other, in the form of messages: nobody said it. */
const technical: readonly string[] = [
  "protocolMessage",
  "senderKeyDistributionMessage",
  "fastRatchetKeySenderKeyDistributionMessage",
  "keepInChatMessage",
  "pinInChatMessage",
  "encReactionMessage",
  "secretEncryptedMessage",
  "messageHistoryNotice",
];

/** The shared form of an item. */
export function convert(item: RawItem): Converted {
  const found = anyEnvelope.safeParse(parseJson(item.raw)).data;
  if (found === undefined) return notice("unreadable", null);
  if (found.kind === "undecrypted") return notice("undecryptable", found.fault);
  return found.kind === "receipt" ? receiptOf(found) : messageOf(found);
}

function receiptOf({ id, status, at }: ReceiptEnvelope): Converted {
  if (id === "") return notice("unreadable", "receipt");
  return {
    kind: "receipt",
    // Ids of messages are the connection's own.
    to: null,
    provider_message_ids: [id],
    status,
    reason: null,
    at: isoTime(at),
  };
}

function messageOf(envelope: Envelope): Converted {
  const person = personOf(envelope.chat, envelope.alt);
  const address = person === null ? null : writeRecipient(person);
  if (person === null || address === null)
    return notice("group_message", readJid(envelope.chat)?.server ?? null);
  const said = saidIn(envelope.messages);
  if (said === null) return notice("unreadable", "message");
  const content = contentOf(said);
  if (content.type === "unsupported" && technical.includes(content.raw_type ?? ""))
    return notice("not_a_message", wordOf(said));
  return envelope.own
    ? ownMessageOf(envelope, content, { address, person })
    : customersMessage(envelope, content, { address, person });
}

function customersMessage(
  envelope: Envelope,
  { target, ...content }: Content,
  { address, person }: { address: string; person: Person },
): Converted {
  return {
    ...emptyMessage,
    from: address,
    contact: contactOf(person, envelope.name),
    ...content,
    provider_message_id: target ?? envelope.id,
    sent_at: isoTime(envelope.at),
  };
}

/** Written by the store's own people, on the phone or another of its devices. */
function ownMessageOf(
  envelope: Envelope,
  content: Content,
  { address, person }: { address: string; person: Person },
): Converted {
  const said = { ...emptyMessage, ...content };
  if (envelope.id === "") return notice("unreadable", "own_message");
  return {
    kind: "own",
    to: address,
    contact: contactOf(person, null),
    type: content.type,
    raw_type: said.raw_type,
    text: said.text,
    media: said.media,
    location: said.location,
    contacts: said.contacts,
    reaction: said.reaction,
    reply_to: said.reply_to,
    ...(content.album_id === undefined ? {} : { album_id: content.album_id }),
    provider_message_id: envelope.id,
    refers_to: content.target ?? null,
    sent_at: isoTime(envelope.at),
  };
}

function contactOf({ number }: Person, name: string | null): InboundContact {
  return { name: name || null, phone: number, username: null, locale: null };
}
