// Takes a client's message apart: what is for which device.
import { childOf, childrenOf, lidJid } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** What one device gets: mostly one copy; of a group's message the key to it, if it is new, and the message. */
export interface Copy {
  to: string;
  encs: WireNode[];
}

export function copiesIn(world: World, stanza: WireNode): Copy[] {
  const { to = "", participant } = stanza.attrs;
  const single = childrenOf(childOf(stanza, "participants"), "to").flatMap((child) => {
    const enc = childOf(child, "enc");
    return enc === undefined ? [] : [{ to: child.attrs["jid"] ?? "", encs: [enc] }];
  });
  const enc = childOf(stanza, "enc");
  if (enc === undefined) return single;
  if (enc.attrs["type"] !== "skmsg") return [...single, { to: participant ?? to, encs: [enc] }];
  const keys = new Map(single.map((copy) => [deviceAt(world, copy.to), copy.encs]));
  const members = world.phones.group(to)?.members.map((number) => world.phones.phone(number)) ?? [];
  return members.flatMap((phone) =>
    [...phone.own, ...phone.linked].map(({ id }) => {
      const jid = lidJid(phone.lid, id);
      return { to: jid, encs: [...(keys.get(deviceAt(world, jid)) ?? []), enc] };
    }),
  );
}

/** The same name for a device, whichever of its addresses is used. */
function deviceAt(world: World, jid: string): string {
  const found = world.phones.at(jid);
  return found === null ? jid : `${found.phone.number}:${found.address.device}`;
}
