// Brings what a client writes to everybody's devices, and acknowledges it.
import { arrive } from "./arrivals.ts";
import { forward } from "./forwarding.ts";
import type { OpenLink } from "./delivery.ts";
import type { DecryptedCopy } from "./record.ts";
import { addressOf, bytesOf, childOf, childrenOf, lidJid, node, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** A message of a client. */
interface Routed {
  open: OpenLink;
  stanza: WireNode;
}

/** One encrypted copy, and for whose device. */
interface Copy {
  to: string;
  enc: WireNode;
}

/** Takes a message of a client in. Faults that were scripted for it strike here. */
export async function routeMessage(world: World, open: OpenLink, stanza: WireNode): Promise<void> {
  const { phone, link } = open;
  const routed = { open, stanza };
  const chat = chatOf(world, stanza);
  if (world.faults.take("drop_before_message", phone.number) !== null) return link.reset("reset");
  const refused = world.faults.take(
    "refuse_message",
    phone.number,
    ({ to }) => to === undefined || to === chat,
  );
  if (refused !== null) {
    note(world, routed, { copies: [], refused: refused.error });
    return acknowledge(world, routed, refused.error);
  }
  const drops = world.faults.take("drop_after_message", phone.number) !== null;
  const silent = world.faults.take("no_ack", phone.number) !== null;
  if (!drops && !silent) acknowledge(world, routed, null);
  const copies: DecryptedCopy[] = [];
  for (const copy of copiesIn(world, stanza))
    copies.push(await carry(world, { ...routed, chat }, copy));
  note(world, routed, { copies, refused: null });
  if (drops) link.reset("reset");
}

/** The number of the other phone, or the id of the group; of an unknown one, what stands in its address. */
function chatOf(world: World, { attrs }: WireNode): string {
  const jid = attrs["recipient"] ?? attrs["to"] ?? "";
  const address = addressOf(jid);
  if (address?.server === "group") return jid;
  return world.phones.at(jid)?.phone.number ?? address?.user ?? jid;
}

function copiesIn(world: World, stanza: WireNode): Copy[] {
  const { to = "", participant } = stanza.attrs;
  const forDevices = childrenOf(childOf(stanza, "participants"), "to").flatMap((child) => {
    const enc = childOf(child, "enc");
    return enc === undefined ? [] : [{ to: child.attrs["jid"] ?? "", enc }];
  });
  const enc = childOf(stanza, "enc");
  if (enc === undefined) return forDevices;
  if (enc.attrs["type"] !== "skmsg") return [...forDevices, { to: participant ?? to, enc }];
  // One text for all members: every device of theirs gets it, after the keys to it.
  const members = world.phones.group(to)?.members.map((number) => world.phones.phone(number)) ?? [];
  const devices = members.flatMap((phone) =>
    [...phone.own, ...phone.linked].map(({ id }) => ({ to: lidJid(phone.lid, id), enc })),
  );
  return [...forDevices, ...devices];
}

async function carry(
  world: World,
  { open, stanza, chat }: Routed & { chat: string },
  copy: Copy,
): Promise<DecryptedCopy> {
  const { to, enc } = copy;
  const type = enc.attrs["type"] ?? null;
  const nothing = { to, type, message: null, repeated: false };
  const found = world.phones.at(to);
  if (found === null) return { ...nothing, error: "Nobody has this address." };
  const { phone, address } = found;
  if (phone.own.some(({ id }) => id === address.device)) {
    const arrived = await world.lanes.run(phone.number, () =>
      arrive(world, phone, {
        sender: { number: open.phone.number, device: open.linked.id },
        messageId: stanza.attrs["id"] ?? "",
        to: chat,
        own: address.device,
        type: type ?? "",
        body: bytesOf(enc),
      }),
    );
    return { to, ...arrived };
  }
  const linked = phone.linked.find(({ id }) => id === address.device);
  if (linked === undefined) return { ...nothing, error: "The phone has no such device." };
  if (linked !== open.linked)
    forward(world, open, { stanza, enc, chat, receiver: { phone, linked } });
  return { ...nothing, error: null };
}

function acknowledge(world: World, { open, stanza }: Routed, error: number | null): void {
  const { attrs } = stanza;
  open.link.send(
    node("ack", {
      class: "message",
      id: attrs["id"],
      from: attrs["to"],
      participant: attrs["participant"],
      t: seconds(world.clock.now()),
      error: error === null ? undefined : String(error),
    }),
  );
}

function note(
  world: World,
  { open, stanza }: Routed,
  { copies, refused }: { copies: DecryptedCopy[]; refused: number | null },
): void {
  const who = { phone: open.phone.number, device: open.linked.id };
  const { id = "", to = "", edit = null } = stanza.attrs;
  const said = copies.map(({ message }) => message).filter((message) => message !== null);
  // A copy that only carries a group's key says nothing.
  const message = said.find((one) => !one.senderKeyDistributionMessage) ?? said[0] ?? null;
  const resent = childOf(stanza, "enc")?.attrs["count"] !== undefined;
  const attributes = { ...stanza.attrs };
  world.record.add(who, {
    kind: "message",
    messageId: id,
    to,
    message,
    copies,
    edit,
    resent,
    refused,
    attributes,
  });
}
