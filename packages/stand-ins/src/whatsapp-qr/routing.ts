// Brings what a client writes to everybody's devices, and acknowledges it.
import { arrive } from "./arrivals.ts";
import { copiesIn } from "./copies-in.ts";
import type { Copy } from "./copies-in.ts";
import { forward } from "./forwarding.ts";
import type { OpenLink } from "./delivery.ts";
import type { DecryptedCopy } from "./record.ts";
import { addressOf, bytesOf, childOf, node, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** A message of a client. */
interface Routed {
  open: OpenLink;
  stanza: WireNode;
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
    copies.push(...(await carry(world, { ...routed, chat }, copy)));
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

async function carry(
  world: World,
  { open, stanza, chat }: Routed & { chat: string },
  { to, encs }: Copy,
): Promise<DecryptedCopy[]> {
  const nothing = { to, type: encs[0]?.attrs["type"] ?? "", message: null, repeated: false };
  const found = world.phones.at(to);
  if (found === null) return [{ ...nothing, error: "Nobody has this address." }];
  const { phone, address } = found;
  const linked = phone.linked.find(({ id }) => id === address.device);
  if (linked !== undefined) {
    if (linked !== open.linked)
      forward(world, open, { stanza, encs, chat, receiver: { phone, linked } });
    return [{ ...nothing, error: null }];
  }
  if (!phone.own.some(({ id }) => id === address.device))
    return [{ ...nothing, error: "The phone has no such device." }];
  const copies: DecryptedCopy[] = [];
  for (const enc of encs) {
    const arrival = {
      sender: { number: open.phone.number, device: open.linked.id },
      messageId: stanza.attrs["id"] ?? "",
      to: chat,
      own: address.device,
      type: enc.attrs["type"] ?? "",
      body: bytesOf(enc),
    };
    const arrived = await world.lanes.run(phone.number, () => arrive(world, phone, arrival));
    copies.push({ to, ...arrived });
  }
  return copies;
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
