// Hands a copy that one linked client encrypted to another, as it is: the server can't read it.
import type { LinkedState } from "./devices.ts";
import type { OpenLink } from "./delivery.ts";
import type { PhoneState } from "./phones.ts";
import { addressOf, childOf, lidJid, node, pnJid, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Who wrote, from which device, under which address. */
export interface Author {
  phone: PhoneState;
  device: number;
  addressing: "lid" | "pn";
}

/** How a message to a chat (a number, or the id of a group) comes from its author to one of the chat's members. */
export function envelope(
  world: World,
  { phone, device, addressing }: Author,
  { chat, receiver }: { chat: string; receiver: PhoneState },
): Record<string, string | undefined> {
  const lid = lidJid(phone.lid, device);
  const pn = pnJid(phone.number, device);
  const byLid = addressing === "lid";
  const shownPn = phone.settings.hidesNumber ? undefined : pnJid(phone.number);
  const common = { notify: phone.name, t: seconds(world.clock.now()), addressing_mode: addressing };
  if (chat.endsWith("@g.us"))
    return {
      ...common,
      from: chat,
      participant: lid,
      participant_pn: shownPn,
      addressing_mode: "lid",
    };
  const from = byLid ? lid : pn;
  if (receiver !== phone)
    return byLid
      ? { ...common, from, sender_pn: shownPn }
      : { ...common, from, sender_lid: lidJid(phone.lid) };
  const other = world.phones.find(chat);
  const recipient = byLid && other !== null ? lidJid(other.lid) : pnJid(chat);
  return {
    ...common,
    from,
    recipient,
    peer_recipient_pn: byLid ? pnJid(chat) : undefined,
    peer_recipient_lid: byLid || other === null ? undefined : lidJid(other.lid),
  };
}

export function forward(
  world: World,
  open: OpenLink,
  copy: {
    stanza: WireNode;
    encs: readonly WireNode[];
    chat: string;
    receiver: { phone: PhoneState; linked: LinkedState };
  },
): void {
  const { stanza, encs, chat, receiver } = copy;
  const { id = "", type, edit, to } = stanza.attrs;
  const addressing = addressOf(to)?.server === "pn" ? "pn" : "lid";
  const author: Author = { phone: open.phone, device: open.linked.id, addressing };
  const attributes = envelope(world, author, { chat, receiver: receiver.phone });
  const identity = childOf(stanza, "device-identity");
  const children = [...encs, ...(identity === undefined ? [] : [identity])];
  world.delivery.push(receiver.phone, receiver.linked, {
    kind: "message",
    id,
    node: node("message", { ...attributes, id, type, edit }, children),
  });
}
