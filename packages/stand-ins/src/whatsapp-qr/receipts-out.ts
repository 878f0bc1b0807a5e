// The receipts that phones of the stand-in send to linked clients.
import { identityOf } from "./adv.ts";
import { takeOwnBundle } from "./devices.ts";
import type { OwnDevice } from "./devices.ts";
import { linkedDevice, ownDevice } from "./phones.ts";
import type { Arrival, PhoneState } from "./phones.ts";
import { bigEndian, keyNode, signedKeyNode } from "./pre-keys.ts";
import { lidJid, node, pnJid, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Receipts of one kind for messages of one phone. Without a type: delivered. */
export interface OutReceipt {
  /** Number of the phone that wrote the messages. */
  to: string;
  messageIds: readonly string[];
  type?: "read" | undefined;
  group?: string | undefined;
}

const MOST_RETRIES = 5;
const KEY_TYPE = Buffer.from([5]);

/** The phone has a message: it says so, and that it was read if its owner reads everything at once. */
export function receiptFrom(
  world: World,
  phone: PhoneState,
  { sender, messageId, to }: Arrival,
): void {
  const group = to.endsWith("@g.us") ? to : undefined;
  const receipt = { to: sender.number, messageIds: [messageId], group };
  sendReceipt(world, phone, receipt);
  if (phone.settings.readsAtOnce) sendReceipt(world, phone, { ...receipt, type: "read" });
}

/** Tells every linked client of the phone that wrote, and its screen. */
export function sendReceipt(world: World, phone: PhoneState, receipt: OutReceipt): void {
  const { to, messageIds, type, group } = receipt;
  const [id, ...others] = messageIds;
  if (id === undefined) return;
  const status = type === "read" ? "read" : "delivered";
  world.chats.receipt({ from: to, to: group ?? phone.number, messageIds }, status);
  // Receipts come from the LID, whichever address the message went to: as most do today.
  const from = lidJid(phone.lid);
  const attributes = {
    id,
    type,
    t: seconds(world.clock.now()),
    ...(group === undefined ? { from } : { from: group, participant: from }),
  };
  const items = others.map((other) => node("item", { id: other }));
  const children = items.length === 0 ? undefined : [node("list", {}, items)];
  const author = world.phones.phone(to);
  for (const linked of author.linked)
    world.delivery.push(author, linked, {
      kind: "receipt",
      id,
      node: node("receipt", attributes, children),
    });
}

/** A device could not decrypt: it asks the device that wrote to send the message again. */
export function askAgain(
  world: World,
  phone: PhoneState,
  { device, arrival }: { device: OwnDevice; arrival: Arrival },
): void {
  const author = world.phones.phone(arrival.sender.number);
  const linked = linkedDevice(author, arrival.sender.device);
  const count = world.retries.count(`${phone.number}:${device.id}/${arrival.messageId}`);
  if (linked === null || count > MOST_RETRIES) return;
  const { messageId: id } = arrival;
  const t = seconds(world.clock.now());
  const children = [
    node("retry", { count: String(count), id, t, v: "1", error: "0" }),
    node("registration", {}, bigEndian(device.registrationId, 4)),
    ...(count > 1 ? [keysOf(world, phone, device)] : []),
  ];
  const attributes = { id, t, type: "retry", ...askerOf(world, phone, { device, arrival }) };
  world.delivery.push(author, linked, {
    kind: "receipt",
    id,
    node: node("receipt", attributes, children),
  });
}

function askerOf(
  world: World,
  phone: PhoneState,
  { device, arrival }: { device: OwnDevice; arrival: Arrival },
): Record<string, string | undefined> {
  const from = lidJid(phone.lid, device.id);
  if (arrival.to.endsWith("@g.us")) return { from: arrival.to, participant: from };
  if (arrival.sender.number !== phone.number) return { from };
  const other = world.phones.find(arrival.to);
  return { from, recipient: other === null ? pnJid(arrival.to) : lidJid(other.lid) };
}

function keysOf(world: World, phone: PhoneState, device: OwnDevice): WireNode {
  const { identityKey, signedPreKey, preKey } = takeOwnBundle(device);
  const vouching = {
    phoneIdentity: ownDevice(phone, 0).identity,
    keyIndex: device.id,
    now: world.clock.now(),
  };
  return node("keys", {}, [
    node("type", {}, KEY_TYPE),
    node("identity", {}, identityKey.subarray(1)),
    ...(preKey === undefined ? [] : [keyNode(preKey)]),
    signedKeyNode(signedPreKey),
    node("device-identity", {}, identityOf(vouching, device.identity)),
  ]);
}
