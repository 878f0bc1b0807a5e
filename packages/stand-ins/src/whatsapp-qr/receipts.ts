// What clients receipt, acknowledge, and show of themselves: read, typing, online.
import { sealCopy } from "./copies.ts";
import type { OpenLink } from "./delivery.ts";
import { linkedDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { bundleInReceipt } from "./pre-keys.ts";
import { addressOf, allChildrenOf, childOf, childrenOf, lidJid, node, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Types of receipts that say: this device has the message. */
const HAS_IT = new Set(["delivered", "inactive", "sender", "peer_msg"]);

export async function takeReceipt(world: World, open: OpenLink, receipt: WireNode): Promise<void> {
  const { id = "", to = "", type = "delivered", participant } = receipt.attrs;
  const items = childrenOf(childOf(receipt, "list"), "item").map(({ attrs }) => attrs["id"] ?? "");
  const messageIds = [id, ...items];
  const count = childOf(receipt, "retry")?.attrs["count"];
  const who = { phone: open.phone.number, device: open.linked.id };
  world.record.add(who, {
    kind: "receipt",
    messageIds,
    to,
    type,
    count: count === undefined ? null : Number(count),
  });
  if (!isSilent(world, open, type))
    open.link.send(
      node("ack", { class: "receipt", id, from: to, type: receipt.attrs["type"], participant }),
    );
  if (HAS_IT.has(type)) world.delivery.acknowledge(open.linked, "message", messageIds);
  if (type === "retry") return sendAgain(world, open, receipt);
  const author = world.phones.at(participant ?? to)?.phone;
  if (author === undefined || author === open.phone) return;
  const status = statusOf(type);
  if (status === null) return;
  const group = addressOf(to)?.server === "group" ? to : undefined;
  world.chats.receipt({ from: author.number, to: group ?? open.phone.number, messageIds }, status);
  passOn(world, author, { open, messageIds, group, type: status === "read" ? "read" : undefined });
}

/** Whether a mark of reading gets no acknowledgement, though it counts. */
function isSilent({ faults }: World, { phone }: OpenLink, type: string): boolean {
  return type.startsWith("read") && faults.take("no_read_ack", phone.number) !== null;
}

function statusOf(type: string): "delivered" | "read" | null {
  if (type === "delivered" || type === "inactive") return "delivered";
  return type === "read" ? "read" : null;
}

/** The author may be another store's phone: its clients are told as well. */
function passOn(
  world: World,
  author: PhoneState,
  {
    open,
    messageIds,
    group,
    type,
  }: {
    open: OpenLink;
    messageIds: readonly string[];
    group: string | undefined;
    type: string | undefined;
  },
): void {
  const from = lidJid(open.phone.lid);
  const t = seconds(world.clock.now());
  for (const linked of author.linked)
    for (const id of messageIds)
      world.delivery.push(author, linked, {
        kind: "receipt",
        id,
        node: node("receipt", {
          id,
          type,
          t,
          ...(group === undefined ? { from } : { from: group, participant: from }),
        }),
      });
}

/** The client could not decrypt: it gets the same message again, with a new ratchet. */
async function sendAgain(world: World, open: OpenLink, receipt: WireNode): Promise<void> {
  const { id = "", to = "", participant } = receipt.attrs;
  const found = world.phones.at(participant ?? to);
  if (found === null) return;
  const { phone, address } = found;
  const count = Number(childOf(receipt, "retry")?.attrs["count"] ?? "1");
  const again = { count, bundle: bundleInReceipt(receipt) };
  const entry = world.outbox.find(phone.number, id);
  if (entry !== null)
    return world.lanes.run(phone.number, () =>
      sealCopy(world, entry, { receiver: open.phone, linked: open.linked, again }),
    );
  const author = linkedDevice(phone, address.device);
  if (author === null) return;
  // Another client wrote it: that one is asked.
  const attrs = { ...receipt.attrs, to: undefined, from: lidJid(open.phone.lid, open.linked.id) };
  world.delivery.push(phone, author, {
    kind: "receipt",
    id,
    node: node("receipt", attrs, receipt.content),
  });
}

export function takeAck(world: World, open: OpenLink, ack: WireNode): void {
  const { id = "", class: of = "", error } = ack.attrs;
  const who = { phone: open.phone.number, device: open.linked.id };
  world.record.add(who, {
    kind: "ack",
    of,
    messageId: id,
    error: error === undefined ? null : Number(error),
  });
  if (of === "message" || of === "receipt" || of === "notification")
    world.delivery.acknowledge(open.linked, of, [id]);
}

/** A presence or a chat state. */
export function takeState(world: World, open: OpenLink, received: WireNode): void {
  const who = { phone: open.phone.number, device: open.linked.id };
  if (received.tag === "presence") {
    world.record.add(who, { kind: "presence", type: received.attrs["type"] ?? "name" });
    return;
  }
  const { to = "" } = received.attrs;
  const [child] = allChildrenOf(received);
  const state =
    child?.tag === "paused"
      ? "paused"
      : child?.attrs["media"] === "audio"
        ? "recording"
        : "composing";
  world.record.add(who, { kind: "typing", to, state });
  const other = world.phones.at(to)?.phone;
  if (other === undefined) return;
  world.changes.emit({ type: "typing", phone: other.number, chat: open.phone.number, state });
  sendState(world, { from: open.phone, to: other, state });
}

/** Shows the linked clients of a phone that the other types; nobody is told later. */
export function sendState(
  world: World,
  {
    from,
    to,
    state,
  }: { from: PhoneState; to: PhoneState; state: "composing" | "recording" | "paused" },
): void {
  const media = state === "recording" ? "audio" : undefined;
  const child = node(state === "paused" ? "paused" : "composing", { media });
  for (const linked of to.linked)
    world.delivery
      .openLink(linked)
      ?.link.send(node("chatstate", { from: lidJid(from.lid) }, [child]));
}
