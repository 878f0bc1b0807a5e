// What a phone sends a client that was just paired: its keys for shared settings, and whom it knows.
import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { proto } from "@whiskeysockets/baileys";
import type { OpenLink } from "./delivery.ts";
import { ownDevice } from "./phones.ts";
import { bundleOf } from "./pre-keys.ts";
import { sealFor } from "./ratchet.ts";
import { lidJid, node, pnJid, seconds } from "./wire.ts";
import type { World } from "./world.ts";

const { Type } = proto.Message.ProtocolMessage;

/** Sends it once; a client that is cut off meanwhile gets it when it comes back. */
export async function sendHistory(world: World, { phone, linked }: OpenLink): Promise<void> {
  linked.historyDue = false;
  const device = ownDevice(phone, 0);
  for (const protocolMessage of [keyShare(world), history(world)]) {
    const id = `3A${randomBytes(9).toString("hex").toUpperCase()}`;
    const remote = { lid: phone.lid, device: linked.id };
    const bundle = () => bundleOf(world, phone, linked.id);
    const sealed = await sealFor(device, { remote, bundle }, { protocolMessage });
    if (sealed === null) return;
    const t = seconds(world.clock.now());
    const attributes = { from: pnJid(phone.number), id, t, type: "text", category: "peer" };
    const enc = node("enc", { v: "2", type: sealed.type }, sealed.body);
    world.delivery.push(phone, linked, {
      kind: "message",
      id,
      node: node("message", attributes, [enc]),
    });
  }
}

function keyShare(world: World): proto.Message.IProtocolMessage {
  const keyData = {
    keyData: randomBytes(32),
    fingerprint: { rawId: 1, currentIndex: 0, deviceIndexes: [0] },
    timestamp: world.clock.now(),
  };
  return {
    type: Type.APP_STATE_SYNC_KEY_SHARE,
    appStateSyncKeyShare: { keys: [{ keyId: { keyId: randomBytes(6) }, keyData }] },
  };
}

function history(world: World): proto.Message.IProtocolMessage {
  const { INITIAL_BOOTSTRAP } = proto.HistorySync.HistorySyncType;
  const known = world.phones.all();
  const sync = proto.HistorySync.encode({
    syncType: INITIAL_BOOTSTRAP,
    conversations: [],
    pushnames: known.map(({ number, name }) => ({ id: pnJid(number), pushname: name })),
    phoneNumberToLidMappings: known.map(({ number, lid }) => ({
      pnJid: pnJid(number),
      lidJid: lidJid(lid),
    })),
    chunkOrder: 1,
    progress: 100,
  }).finish();
  return {
    type: Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType: proto.Message.HistorySyncType.INITIAL_BOOTSTRAP,
      chunkOrder: 1,
      progress: 100,
      initialHistBootstrapInlinePayload: deflateSync(sync),
    },
  };
}
