// What the owner of a phone does besides writing: pairs, reads, types, switches it, forgets.
import { arriveLate } from "./arrivals.ts";
import type {
  Ending,
  LinkedDevice,
  LinkedDeviceOf,
  NewGroup,
  NewPhone,
  Phone,
  PhoneSettings,
} from "./contract.ts";
import { createOwnDevice } from "./devices.ts";
import type { LinkedState } from "./devices.ts";
import type { PhoneState } from "./phones.ts";
import { forgetRatchet } from "./ratchet.ts";
import { sendReceipt } from "./receipts-out.ts";
import { sendState } from "./receipts.ts";
import { endLink, unlink } from "./unlink.ts";
import { lidJid, node, pnJid, seconds } from "./wire.ts";
import type { World } from "./world.ts";

export function addPhone(world: World, phone: NewPhone): Phone {
  const added = describePhone(world, world.phones.add(phone));
  world.touch();
  return added;
}

export function describePhone(world: World, phone: PhoneState): Phone {
  return {
    number: phone.number,
    jid: pnJid(phone.number),
    lid: lidJid(phone.lid),
    name: phone.name,
    ...phone.settings,
    linked: phone.linked.map((linked) => describeLinked(world, phone, linked)),
  };
}

export function describeLinked(world: World, phone: PhoneState, linked: LinkedState): LinkedDevice {
  const { id, platform, preKeys, pending, openings, conflicts } = linked;
  return {
    device: id,
    jid: pnJid(phone.number, id),
    platform,
    connected: world.delivery.openLink(linked) !== null,
    preKeys: preKeys.length,
    pending: pending.length,
    openings,
    conflicts,
  };
}

export async function scan(
  world: World,
  { phone: number, qr }: { phone: string; qr: string },
): Promise<LinkedDevice> {
  const phone = world.phones.phone(number);
  return describeLinked(world, phone, await world.pairing.scan(phone, qr));
}

export async function enterCode(
  world: World,
  { phone: number, code }: { phone: string; code: string },
): Promise<LinkedDevice> {
  const phone = world.phones.phone(number);
  return describeLinked(world, phone, await world.pairing.enterCode(phone, code));
}

/** What came while it was switched off arrives in the lane of the phone, before anything newer. */
export function setPhone(world: World, number: string, settings: Partial<PhoneSettings>): void {
  const phone = world.phones.phone(number);
  for (const [name, value] of Object.entries(settings))
    if (value !== undefined) Object.assign(phone.settings, { [name]: value });
  if (phone.settings.online && phone.held.length > 0)
    void world.lanes.run(number, () => arriveLate(world, phone));
  world.touch();
}

export function unlinkDevices(
  world: World,
  which: LinkedDeviceOf & { withoutCode?: boolean | undefined },
): void {
  const { phone, linked } = chosen(world, which);
  const code = which.withoutCode === true ? null : "401";
  for (const one of linked) unlink(world, phone, { linked: one, reason: "unlinked", code });
}

export function reinstall(world: World, number: string): void {
  unlinkDevices(world, { phone: number });
  const phone = world.phones.phone(number);
  phone.own = [createOwnDevice(0)];
  for (const other of world.phones.all())
    for (const linked of other.linked)
      world.delivery.notify(other, linked, {
        from: lidJid(phone.lid),
        type: "encrypt",
        child: node("identity"),
      });
  world.touch();
}

export function disconnect(world: World, which: LinkedDeviceOf & Ending): void {
  for (const linked of chosen(world, which).linked) {
    const open = world.delivery.openLink(linked);
    if (open !== null) endLink(open, which);
  }
}

export function read(
  world: World,
  {
    phone: number,
    chat,
    messageIds,
  }: { phone: string; chat: string; messageIds?: readonly string[] | undefined },
): void {
  const phone = world.phones.phone(number);
  const isGroup = chat.endsWith("@g.us");
  const unread = world.chats
    .list(number, chat)
    .filter(({ from, status }) => from !== number && status !== "read")
    .filter(({ messageId }) => messageIds?.includes(messageId) ?? true);
  for (const author of new Set(unread.map(({ from }) => from))) {
    const ids = unread.filter(({ from }) => from === author).map(({ messageId }) => messageId);
    sendReceipt(world, phone, {
      to: author,
      messageIds: ids,
      type: "read",
      group: isGroup ? chat : undefined,
    });
    if (!isGroup) showRead(world, phone, { author, messageIds: ids });
  }
}

/** The phone's own clients learn that its owner has read. */
function showRead(
  world: World,
  phone: PhoneState,
  { author, messageIds }: { author: string; messageIds: readonly string[] },
): void {
  const from = pnJid(phone.number);
  const recipient = lidJid(world.phones.phone(author).lid);
  const t = seconds(world.clock.now());
  for (const linked of phone.linked)
    for (const id of messageIds)
      world.delivery.push(phone, linked, {
        kind: "receipt",
        id,
        node: node("receipt", { id, from, recipient, type: "read-self", t }),
      });
}

export function type(
  world: World,
  { phone, to, state }: { phone: string; to: string; state: "composing" | "recording" | "paused" },
): void {
  world.changes.emit({ type: "typing", phone: to, chat: phone, state });
  sendState(world, { from: world.phones.phone(phone), to: world.phones.phone(to), state });
}

export function forgetSessions(world: World, between: { phone: string; with: string }): void {
  const phone = world.phones.phone(between.phone);
  const other = world.phones.phone(between.with);
  for (const own of phone.own)
    for (const { id } of [...other.own, ...other.linked])
      forgetRatchet(own, { lid: other.lid, device: id });
}

export function addGroup(world: World, { subject, members }: NewGroup): { id: string } {
  const { id } = world.phones.addGroup({
    subject,
    members: [...members],
    createdAt: world.clock.now(),
  });
  world.touch();
  return { id };
}

export function settled(world: World, number: string, withinMs?: number): Promise<void> {
  const phone = world.phones.phone(number);
  const isSettled = (): boolean =>
    !world.lanes.busy && phone.linked.every(({ pending }) => pending.length === 0);
  return world.record.until(isSettled, withinMs);
}

function chosen(world: World, which: LinkedDeviceOf): { phone: PhoneState; linked: LinkedState[] } {
  const phone = world.phones.phone(which.phone);
  const linked = phone.linked.filter(({ id }) => which.device === undefined || id === which.device);
  if (which.device !== undefined && linked.length === 0)
    throw new Error(`Phone ${which.phone} has no linked device ${which.device}.`);
  return { phone, linked };
}
