// What a device of the stand-in does with a copy of a message: it decrypts, shows, receipts, or asks again.
import { proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { OwnDevice } from "./devices.ts";
import { ownDevice } from "./phones.ts";
import type { Arrival, PhoneState } from "./phones.ts";
import { openFrom } from "./ratchet.ts";
import { askAgain, receiptFrom } from "./receipts-out.ts";
import type { DecryptedCopy } from "./record.ts";
import { decryptWithChain, receivedChain } from "./sender-keys.ts";
import { show } from "./screen.ts";
import { understand, unwrapOwn } from "./understand.ts";
import type { World } from "./world.ts";

/** Takes a copy in; what comes to a phone that is switched off is kept until it is on again. */
export async function arrive(
  world: World,
  phone: PhoneState,
  arrival: Arrival,
): Promise<Omit<DecryptedCopy, "to">> {
  if (!phone.settings.online) {
    phone.held.push(arrival);
    return {
      type: arrival.type,
      message: null,
      error: "The phone is switched off.",
      repeated: false,
    };
  }
  const device = ownDevice(phone, arrival.own);
  try {
    const message = await decrypt(world, device, arrival);
    return {
      type: arrival.type,
      error: null,
      ...takeIn(world, { phone, device, arrival, message }),
    };
  } catch (error) {
    if (!isOwn(phone, arrival)) show(world, { ...chatOf(world, arrival), understood: null });
    if (phone.settings.retries) askAgain(world, phone, { device, arrival });
    return { type: arrival.type, message: null, error: String(error), repeated: false };
  }
}

/** What was kept arrives now, in its order. */
export async function arriveLate(world: World, phone: PhoneState): Promise<void> {
  for (const arrival of phone.held.splice(0)) await arrive(world, phone, arrival);
}

function takeIn(
  world: World,
  {
    phone,
    device,
    arrival,
    message,
  }: { phone: PhoneState; device: OwnDevice; arrival: Arrival; message: proto.IMessage },
): { message: proto.IMessage; repeated: boolean } {
  const { sender, messageId } = arrival;
  const { axolotlSenderKeyDistributionMessage: distribution, groupId } =
    message.senderKeyDistributionMessage ?? {};
  if (distribution && groupId)
    device.senderChains[chainName(world, arrival, groupId)] = receivedChain(distribution);
  const isNew = world.seen.add(
    [phone.number, device.id, sender.number, messageId, arrival.type === "skmsg"].join("/"),
  );
  const onlyKeys = distribution && understand(message).content.kind === "other";
  if (!isOwn(phone, arrival) && !onlyKeys) {
    show(world, { ...chatOf(world, arrival), understood: message });
    if (device.id === 0) receiptFrom(world, phone, arrival);
  }
  return { message: unwrapOwn(message).message, repeated: !isNew };
}

async function decrypt(world: World, device: OwnDevice, arrival: Arrival): Promise<proto.IMessage> {
  const { sender, type, body } = arrival;
  if (type !== "skmsg") {
    const remote = { lid: world.phones.phone(sender.number).lid, device: sender.device };
    return openFrom(device, remote, { type, body });
  }
  const chain = device.senderChains[chainName(world, arrival, arrival.to)];
  if (chain === undefined) throw new Error("There is no sender key.");
  return proto.Message.decode(unpadRandomMax16(decryptWithChain(chain, body)));
}

function chainName(world: World, { sender }: Arrival, group: string): string {
  return `${group}/${world.phones.phone(sender.number).lid}:${sender.device}`;
}

function isOwn(phone: PhoneState, { sender }: Arrival): boolean {
  return sender.number === phone.number;
}

function chatOf(
  world: World,
  { sender, messageId, to }: Arrival,
): { messageId: string; from: string; device: number; to: string; at: number } {
  return { messageId, from: sender.number, device: sender.device, to, at: world.clock.now() };
}
