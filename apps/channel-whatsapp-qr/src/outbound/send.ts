// Sends one part: one message of WhatsApp's, and what came of it.
import { MediaFault } from "@thikaa/connector-kit";
import type { ConnectorContext, KnownMessage, OutboundPart } from "@thikaa/connector-kit";
import type { MessageReason, Outcome } from "@thikaa/schema";
import type { Health } from "../health/health.ts";
import { lidJid, personOf, readRecipient, writePartId } from "../ids.ts";
import type { Person } from "../ids.ts";
import { compose } from "../platform/compose.ts";
import type { Quoted, Saying } from "../platform/compose.ts";
import { refusalOf } from "../platform/errors.ts";
import { writeMessage } from "../platform/message.ts";
import { RelayFault } from "../platform/socket.ts";
import type { Recipients } from "../recipients.ts";
import type { OpenSocket, Session } from "../session.ts";
import { ChangeRefusal, changeSayings } from "./change.ts";
import { contactCard } from "./contact-card.ts";
import { isChange, partPayload } from "./plan.ts";
import type { MessagePayload, PartPayload } from "./plan.ts";
import { openUserFile } from "./user-file.ts";

/** What a connection sends its parts by. */
export interface PartSender {
  readonly context: ConnectorContext;
  readonly session: Session;
  readonly health: Health;
  readonly recipients: Recipients;
}

/** One part, read, on its way to a chat. */
interface Delivery {
  readonly sender: PartSender;
  readonly open: OpenSocket;
  readonly part: OutboundPart;
  readonly jid: string;
}

/** How long a session that broke while it sent may take to say why. */
const afterMs = 1_000;
const reconnectMs = 5_000;

/** Never throws for anything WhatsApp, the network or the database does. */
export async function sendPart(part: OutboundPart, sender: PartSender): Promise<Outcome> {
  const person = readRecipient(part.to);
  if (person === null)
    return rejected(
      "invalid_recipient",
      "A WhatsApp recipient is a phone number with its country code, digits only, like 9647701234567.",
    );
  const payload = partPayload.safeParse(part.part.payload);
  if (!payload.success)
    return {
      class: "poison",
      reason: reasonOf("internal_error", "The stored plan of this message can't be read."),
    };
  const open = await sender.session.socket();
  if (open === null) return away(sender.session);
  try {
    return await deliver({ sender, open, part }, person, payload.data);
  } catch (error) {
    return failed(error, sender);
  }
}

async function deliver(
  given: Omit<Delivery, "jid">,
  person: Person,
  payload: PartPayload,
): Promise<Outcome> {
  const { sender, open, part } = given;
  const found = await looked(sender.recipients.find(person, open.socket));
  if (found.kind === "not_on_whatsapp")
    return rejected("not_on_whatsapp", "This number does not use WhatsApp.");
  if (found.kind === "unknown")
    return unavailable("provider_unavailable", "WhatsApp did not say whether the number is there.");
  const { jid, isFirst } = found;
  const delivery = { ...given, jid };
  if (payload.kind === "read") return read(delivery, person, payload.ids);
  if (isChange(payload)) {
    const known = await looked(sender.context.message(payload.target, part.to));
    return change(delivery, changeSayings(known, payload, jid));
  }
  const held = await looked(sender.health.admit({ isFirst }));
  if (held !== null) return held;
  if (isFirst) await looked(sender.recipients.meet(person, jid));
  const outcome = await sayPayload(delivery, payload);
  if (outcome.class === "sent") sender.health.taken({ isFirst });
  return outcome;
}

async function sayPayload(delivery: Delivery, payload: MessagePayload): Promise<Outcome> {
  const quoted = payload.replyTo === undefined ? null : await quotedOf(delivery, payload.replyTo);
  if (payload.kind !== "media")
    return say(delivery, sayingOf(payload), { quoted, id: partId(delivery, 0) });
  const file = await openUserFile(delivery.sender.context, payload);
  try {
    return await say(delivery, file.saying, { quoted, id: partId(delivery, 0) });
  } catch (error) {
    throw file.failure() ?? error;
  } finally {
    file.discard();
  }
}

/** Marks messages of the chat as read. No word from the server may mean that it was not told: it is told again. */
async function read(
  { sender, open, jid }: Delivery,
  { number }: Person,
  ids: readonly string[],
): Promise<Outcome> {
  // People write by their LID where WhatsApp has told it, also those who were first written to by number.
  const lid = number === null ? null : await looked(open.socket.knownLid(number));
  const answer = await open.socket.read(lid === null ? jid : lidJid(lid), ids);
  if (answer.kind === "taken") return { class: "sent", providerMessageId: null };
  return answer.kind === "none" ? lost : sender.health.refused(refusalOf(answer.code));
}

/** An edit or a deletion of several parts is several messages; the first that is not taken ends it. */
async function change(delivery: Delivery, sayings: readonly Saying[]): Promise<Outcome> {
  for (const [index, saying] of sayings.entries()) {
    const outcome = await say(delivery, saying, { quoted: null, id: partId(delivery, index) });
    if (outcome.class !== "sent") return outcome;
  }
  return { class: "sent", providerMessageId: null };
}

async function say(
  { sender, open, jid }: Delivery,
  saying: Saying,
  { quoted, id }: { quoted: Quoted | null; id: string },
): Promise<Outcome> {
  const { socket, keeping } = open;
  const message = await compose({ socket, log: sender.context.log }, saying, quoted);
  const answer = await socket.relay({
    jid,
    id,
    message,
    edit: saying.kind === "edit" ? "1" : saying.kind === "delete" ? "7" : undefined,
    values: keeping.sentValues(id, writeMessage(message)),
  });
  if (answer.kind === "taken") return { class: "sent", providerMessageId: id };
  if (answer.kind === "none") return unanswered(sender.session, open);
  const refusal = refusalOf(answer.code);
  if (refusal.kind === "stale_devices") sender.session.forgetDevices(jid);
  return sender.health.refused(refusal);
}

function sayingOf(payload: Exclude<MessagePayload, { kind: "media" }>): Saying {
  switch (payload.kind) {
    case "text":
      return { kind: "text", text: payload.text };
    case "location":
      return { kind: "location", ...payload.location };
    case "contact":
      return { kind: "contact", ...contactCard(payload.contact) };
  }
}

/** The message to answer, as it stands. One that was never sent is left out: the words matter more. */
async function quotedOf(
  { sender, open, part, jid }: Delivery,
  replyTo: string,
): Promise<Quoted | null> {
  const known = await looked(sender.context.message(replyTo, part.to));
  const first: KnownMessage["parts"][number] | undefined = known?.parts[0];
  if (first === undefined) return null;
  const { data } = partPayload.safeParse(first.payload);
  const own = personOf(jid)?.number === null ? open.auth.jids.lid : open.auth.jids.number;
  return {
    id: first.providerMessageId,
    participant: data === undefined ? jid : (own ?? jid),
    text: data?.kind === "text" ? data.text : "",
  };
}

function partId({ sender, part }: Delivery, place: number): string {
  const { connectionId } = sender.context;
  const n = part.part.n + place * 1_000;
  return writePartId({ connectionId, messageId: part.messageId, n });
}

/** Something that is needed could not be looked up just now; nothing was sent. */
class LookupFailure extends Error {}

function looked<T>(looking: Promise<T>): Promise<T> {
  return looking.catch((cause: unknown) => {
    throw new LookupFailure("something could not be looked up", { cause });
  });
}

async function failed(error: unknown, { session }: PartSender): Promise<Outcome> {
  if (error instanceof MediaFault)
    return {
      class: error.final ? "rejected" : "unavailable",
      reason: { ...error.reason, provider_code: null, provider_message: null },
    };
  if (error instanceof ChangeRefusal)
    return {
      class: error.code === "not_sent_yet" ? "unavailable" : "rejected",
      reason: reasonOf(error.code, error.message),
    };
  if (error instanceof RelayFault && error.mayHaveLeft) return lost;
  const person = await session.verdict(afterMs);
  if (person !== null) return away(session);
  return error instanceof LookupFailure
    ? unavailable("database_unavailable", "What is needed to send it can't be read just now.")
    : unavailable("not_sent", "The message could not be handed to WhatsApp. It is tried again.");
}

const lost: Outcome = {
  class: "uncertain",
  reason: reasonOf("no_acknowledgement", "WhatsApp did not say whether it has it."),
};

/** No word from the server: it may have the message. A session that hears nothing is opened anew. */
async function unanswered(session: Session, { socket }: OpenSocket): Promise<Outcome> {
  if (socket.isOpen) session.suspect("a message was not acknowledged");
  const person = await session.verdict(afterMs);
  return person === null ? lost : away(session);
}

/** There is no session just now. It does not count against the message, and it comes back by itself or with a person. */
function away({ person }: Session): Outcome {
  if (person !== null) {
    const { code, message } = person.reason;
    return { class: "unauthorized", reason: reasonOf(code, message) };
  }
  return {
    class: "throttled",
    scope: "recipient",
    retryAfterMs: reconnectMs * (0.75 + Math.random() / 2),
    reason: reasonOf("reconnecting", "The connection to WhatsApp is being opened again."),
  };
}

function rejected(code: string, message: string): Outcome {
  return { class: "rejected", reason: reasonOf(code, message) };
}

function unavailable(code: string, message: string): Outcome {
  return { class: "unavailable", reason: reasonOf(code, message) };
}

function reasonOf(code: string, message: string): MessageReason {
  return { code, message, provider_code: null, provider_message: null };
}
