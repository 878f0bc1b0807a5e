// Encrypted copies of what a phone of the stand-in writes, one for each linked client.
import { encodeWAMessage } from "@whiskeysockets/baileys";
import type { proto } from "@whiskeysockets/baileys";
import { identityOf } from "./adv.ts";
import type { KeyBundle, LinkedState, OwnDevice } from "./devices.ts";
import { envelope } from "./forwarding.ts";
import type { OutboxEntry } from "./outbox.ts";
import { ownDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { bundleOf } from "./pre-keys.ts";
import { sealFor } from "./ratchet.ts";
import { createSenderChain, distributionOf, encryptWithChain } from "./sender-keys.ts";
import { node } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** For which client, and how. */
export interface CopyFor {
  receiver: PhoneState;
  linked: LinkedState;
  /** It is spoiled on the way. */
  garbled?: boolean | undefined;
  /** It answers a retry receipt with this count; with a new ratchet, from these keys or the server's. */
  again?: { count: number; bundle: KeyBundle | null } | undefined;
}

/** Encrypts for one client and puts the copy on its way. A client without keys gets none. */
export async function sealCopy(world: World, entry: OutboxEntry, to: CopyFor): Promise<void> {
  const { phone, device } = senderOf(world, entry);
  const message = to.receiver === phone ? entry.forOwn : entry.message;
  const remote = { lid: to.receiver.lid, device: to.linked.id };
  const bundle = (): KeyBundle | null =>
    to.again?.bundle ?? bundleOf(world, to.receiver, to.linked.id);
  const sealed = await sealFor(device, { remote, bundle, anew: to.again !== undefined }, message);
  if (sealed === null) return;
  const body = to.garbled ? spoil(sealed.body) : sealed.body;
  const count = to.again === undefined ? undefined : String(to.again.count);
  const enc = encNode(entry, { type: sealed.type, body, count });
  const identity = sealed.type === "pkmsg" ? identityNodes(world, entry) : [];
  push(world, entry, { ...to, children: [enc, ...identity] });
}

/** Encrypts once for a group; each client gets the key to it with its first message of this device. */
export async function sealForGroup(
  world: World,
  entry: OutboxEntry,
  members: readonly PhoneState[],
): Promise<void> {
  const { device } = senderOf(world, entry);
  const chain = (device.senderChains[entry.to] ??= createSenderChain());
  const distribution = distributionOf(chain);
  const body = Buffer.from(encryptWithChain(chain, encodeWAMessage(entry.message)));
  const enc = encNode(entry, { type: "skmsg", body, count: undefined });
  const keys: proto.IMessage = {
    senderKeyDistributionMessage: {
      groupId: entry.to,
      axolotlSenderKeyDistributionMessage: distribution,
    },
  };
  for (const receiver of members)
    for (const linked of receiver.linked) {
      const remote = { lid: receiver.lid, device: linked.id };
      const bundle = (): KeyBundle | null => bundleOf(world, receiver, linked.id);
      const sealed = await sealFor(device, { remote, bundle }, keys);
      if (sealed === null) continue;
      const keyNode = encNode(entry, { ...sealed, count: undefined });
      const children = [keyNode, enc, ...identityNodes(world, entry)];
      push(world, entry, { receiver, linked, children });
    }
}

function push(
  world: World,
  entry: OutboxEntry,
  { receiver, linked, children }: CopyFor & { children: WireNode[] },
): void {
  const { phone, device } = senderOf(world, entry);
  const author = { phone, device: device.id, addressing: entry.addressing };
  const attributes = envelope(world, author, { chat: entry.to, receiver });
  const { messageId: id, type, edit } = entry;
  world.delivery.push(receiver, linked, {
    kind: "message",
    id,
    node: node("message", { ...attributes, id, type, edit }, children),
  });
}

function encNode(
  { mediaType, type: stanzaType }: OutboxEntry,
  { type, body, count }: { type: string; body: Buffer; count: string | undefined },
): WireNode {
  const hides = stanzaType === "reaction" ? "hide" : undefined;
  return node("enc", { v: "2", type, count, mediatype: mediaType, "decrypt-fail": hides }, body);
}

/** A computer proves with its first message that the phone vouches for it. */
function identityNodes(world: World, entry: OutboxEntry): WireNode[] {
  const { phone, device } = senderOf(world, entry);
  if (device.id === 0) return [];
  const vouching = {
    phoneIdentity: ownDevice(phone, 0).identity,
    keyIndex: device.id,
    now: world.clock.now(),
  };
  return [node("device-identity", {}, identityOf(vouching, device.identity))];
}

function senderOf(world: World, { from }: OutboxEntry): { phone: PhoneState; device: OwnDevice } {
  const phone = world.phones.phone(from.number);
  return { phone, device: ownDevice(phone, from.device) };
}

function spoil(body: Buffer): Buffer {
  const spoiled = Buffer.from(body);
  const last = spoiled.length - 1;
  spoiled[last] = (spoiled[last] ?? 0) ^ 0xff;
  return spoiled;
}
