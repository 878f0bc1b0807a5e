// What a phone of the stand-in writes: composed once, encrypted for every linked client that should have it.
import { randomBytes } from "node:crypto";
import type { proto } from "@whiskeysockets/baileys";
import { composeMessage, stanzaEditOf, stanzaTypeOf } from "./compose.ts";
import type { Composing } from "./compose.ts";
import type { PhoneMessage } from "./contract.ts";
import { isMedia } from "./content.ts";
import { sealCopy, sealForGroup } from "./copies.ts";
import type { OutboxEntry } from "./outbox.ts";
import { ownDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { receiptFrom } from "./receipts-out.ts";
import { show } from "./screen.ts";
import { lidJid, pnJid } from "./wire.ts";
import type { World } from "./world.ts";

/** Sends; resolves when every copy is encrypted and on its way, or kept for a client that is away. */
export function sendMessage(world: World, sent: PhoneMessage): Promise<{ messageId: string }> {
  return world.lanes.run(sent.from, async () => {
    const phone = world.phones.phone(sent.from);
    const receivers = receiversOf(world, phone, sent.to);
    const entry = compose(world, phone, sent);
    world.outbox.add(entry);
    const { messageId } = entry;
    const place = { messageId, from: sent.from, device: entry.from.device, to: sent.to };
    show(world, { ...place, at: world.clock.now(), understood: entry.message });
    if (sent.to.endsWith("@g.us")) await sealForGroup(world, entry, receivers);
    else
      for (const receiver of receivers)
        for (const linked of receiver.linked)
          await sealCopy(world, entry, { receiver, linked, garbled: sent.garbled ?? false });
    for (const receiver of receivers)
      if (receiver.linked.length === 0 && receiver !== phone && receiver.settings.online)
        receiptAtOnce(world, receiver, entry);
    world.touch();
    return { messageId };
  });
}

/** A phone without linked clients has it at once; with them, theirs is the receipt that counts. */
function receiptAtOnce(world: World, receiver: PhoneState, entry: OutboxEntry): void {
  const { messageId, from, to } = entry;
  receiptFrom(world, receiver, {
    sender: from,
    messageId,
    to,
    own: 0,
    type: "msg",
    body: Buffer.alloc(0),
  });
}

/** Whose linked clients get it: the other's, or all members', and the sender's own. */
function receiversOf(world: World, phone: PhoneState, to: string): PhoneState[] {
  if (!to.endsWith("@g.us")) {
    const other = world.phones.phone(to);
    return other === phone ? [phone] : [other, phone];
  }
  const group = world.phones.group(to);
  if (!group?.members.includes(phone.number))
    throw new Error(`${phone.number} is in no group ${to}.`);
  return group.members.map((number) => world.phones.phone(number));
}

function compose(world: World, phone: PhoneState, sent: PhoneMessage): OutboxEntry {
  const { content, to, addressing = "lid", device = 0 } = sent;
  const messageId = sent.messageId ?? `3A${randomBytes(9).toString("hex").toUpperCase()}`;
  ownDevice(phone, device);
  const message = composeMessage(content, composing(world, phone, sent));
  return {
    messageId,
    from: { number: phone.number, device },
    to,
    message,
    forOwn: { deviceSentMessage: { destinationJid: jidOf(world, to, addressing), message } },
    addressing,
    type: stanzaTypeOf(content),
    edit: stanzaEditOf(content),
    mediaType: isMedia(content) ? (content.kind === "voice" ? "ptt" : content.kind) : undefined,
  };
}

function composing(world: World, phone: PhoneState, sent: PhoneMessage): Composing {
  const { to, addressing = "lid", replyTo } = sent;
  const remoteJid = jidOf(world, to, addressing);
  const authorOf = (messageId: string): PhoneState => {
    const known = world.chats.list(sent.from, to).find((one) => one.messageId === messageId);
    if (known === undefined) throw new Error(`There is no message ${messageId} in this chat.`);
    return world.phones.phone(known.from);
  };
  const keyOf = (id: string): proto.IMessageKey => {
    const author = authorOf(id);
    const participant = to.endsWith("@g.us") ? lidJid(author.lid) : undefined;
    return { remoteJid, fromMe: author === phone, id, participant };
  };
  const quoted =
    replyTo === undefined
      ? null
      : {
          messageId: replyTo,
          participant: jidOf(world, authorOf(replyTo).number, addressing),
          message: textOf(world, sent, replyTo),
        };
  return {
    seal: (kind, bytes) => world.media.seal(kind, bytes),
    keyOf,
    quoted,
    now: world.clock.now(),
  };
}

function textOf(world: World, sent: PhoneMessage, messageId: string): proto.IMessage {
  const content = world.chats.find(sent.from, messageId)?.content;
  return { conversation: content?.kind === "text" ? content.text : "" };
}

function jidOf(world: World, to: string, addressing: "lid" | "pn"): string {
  if (to.endsWith("@g.us")) return to;
  return addressing === "lid" ? lidJid(world.phones.phone(to).lid) : pnJid(to);
}
