// The server's store of keys: what linked devices upload, and the bundles that others ask for.
import { generateSignalPubKey } from "@whiskeysockets/baileys";
import { takeLinkedBundle, takeOwnBundle } from "./devices.ts";
import type { KeyBundle, LinkedState } from "./devices.ts";
import { linkedDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { bytesOf, childOf, childrenOf, node, numberOf } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

const KEY_TYPE = Buffer.from([5]);

/** Takes the keys that a client uploads; an id that is there already is replaced. */
export function storeKeys(linked: LinkedState, upload: WireNode): void {
  linked.registrationId = numberOf(bytesOf(upload, "registration"));
  const added = childrenOf(childOf(upload, "list"), "key").map((key) => ({
    keyId: numberOf(bytesOf(key, "id")),
    publicKey: bytesOf(key, "value"),
  }));
  const ids = new Set(added.map(({ keyId }) => keyId));
  linked.preKeys = [...linked.preKeys.filter(({ keyId }) => !ids.has(keyId)), ...added];
  storeSignedKey(linked, childOf(upload, "skey"));
}

export function storeSignedKey(linked: LinkedState, skey: WireNode | undefined): void {
  if (skey === undefined) return;
  linked.signedPreKey = {
    keyId: numberOf(bytesOf(skey, "id")),
    publicKey: bytesOf(skey, "value"),
    signature: bytesOf(skey, "signature"),
  };
}

/** Answers a question for the keys of devices; who has none is left out. */
export function answerKeys(world: World, question: WireNode): WireNode[] {
  const users = childrenOf(childOf(question, "key"), "user");
  return [
    node(
      "list",
      {},
      users.flatMap(({ attrs }) => answerUser(world, attrs["jid"])),
    ),
  ];
}

function answerUser(world: World, jid: string | undefined): WireNode[] {
  const found = world.phones.at(jid);
  const bundle = found === null ? null : bundleOf(world, found.phone, found.address.device);
  if (bundle === null) return [];
  const { registrationId, identityKey, signedPreKey, preKey } = bundle;
  return [
    node("user", { jid }, [
      node("registration", {}, bigEndian(registrationId, 4)),
      node("type", {}, KEY_TYPE),
      node("identity", {}, identityKey.subarray(1)),
      signedKeyNode(signedPreKey),
      ...(preKey === undefined ? [] : [keyNode(preKey)]),
    ]),
  ];
}

/** What one needs to write to a device for the first time; null when there is no such device. */
export function bundleOf(world: World, phone: PhoneState, device: number): KeyBundle | null {
  const own = phone.own.find(({ id }) => id === device);
  if (own !== undefined) return takeOwnBundle(own);
  const linked = linkedDevice(phone, device);
  if (linked === null) return null;
  const bundle = takeLinkedBundle(linked);
  world.delivery.watchPreKeys(phone, linked);
  return bundle;
}

/** The keys that come with a retry receipt: what the asker wants a new ratchet with. Null when there are none. */
export function bundleInReceipt(receipt: WireNode): KeyBundle | null {
  const keys = childOf(receipt, "keys");
  const skey = childOf(keys, "skey");
  if (keys === undefined || skey === undefined) return null;
  const key = childOf(keys, "key");
  return {
    registrationId: numberOf(bytesOf(receipt, "registration")),
    identityKey: generateSignalPubKey(bytesOf(keys, "identity")),
    signedPreKey: {
      keyId: numberOf(bytesOf(skey, "id")),
      publicKey: generateSignalPubKey(bytesOf(skey, "value")),
      signature: bytesOf(skey, "signature"),
    },
    ...(key === undefined
      ? {}
      : {
          preKey: {
            keyId: numberOf(bytesOf(key, "id")),
            publicKey: generateSignalPubKey(bytesOf(key, "value")),
          },
        }),
  };
}

export function keyNode({ keyId, publicKey }: { keyId: number; publicKey: Uint8Array }): WireNode {
  return node("key", {}, [
    node("id", {}, bigEndian(keyId, 3)),
    node("value", {}, publicKey.subarray(1)),
  ]);
}

export function signedKeyNode({
  keyId,
  publicKey,
  signature,
}: KeyBundle["signedPreKey"]): WireNode {
  return node("skey", {}, [
    node("id", {}, bigEndian(keyId, 3)),
    node("value", {}, publicKey.subarray(1)),
    node("signature", {}, signature),
  ]);
}

export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
