// What was mended in Baileys and shows at no other place: a send and a notice about devices don't wait for each other.
import type { BinaryNode } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Linked, mai, zainab } from "../fixtures/linked.ts";
import { quick } from "../fixtures/pairing.ts";
import { numberJid } from "../ids.ts";
import { Keeping } from "../keeping.ts";
import { LinkedDevice } from "../linked-device.ts";
import { DeviceCache } from "./device-cache.ts";
import { WhatsAppSocket } from "./socket.ts";

let linked: Linked;
let socket: WhatsAppSocket;
beforeAll(async () => {
  linked = await Linked.open();
  await linked.account.disconnect();
  const { context, standIn } = linked;
  const device = await LinkedDevice.load(context);
  socket = new WhatsAppSocket({
    auth: await device.auth(() => undefined),
    keeper: await Keeping.load(context),
    baseUrl: standIn.url,
    devices: new DeviceCache(),
    log: context.log,
    timing: quick,
    onQr: () => undefined,
  });
  await socket.opened;
});
afterAll(async () => {
  await socket.end("the test is over");
  await linked.close();
});

const removal = (number: string): BinaryNode => ({
  tag: "notification",
  attrs: { type: "devices", from: numberJid(number), id: "n1", t: "1" },
  content: [
    {
      tag: "remove",
      attrs: {},
      content: [{ tag: "device", attrs: { jid: `${number}:7@s.whatsapp.net` } }],
    },
  ],
});

test("a notice that somebody has removed a device, in the middle of a send that asks for devices", async () => {
  const sending = socket.relay({
    jid: numberJid(mai),
    id: "3EB0000000000000000001",
    message: { conversation: "hello" },
    values: {},
  });
  socket.baileys.ws.emit("CB:notification", removal(zainab));
  expect(await sending).toEqual({ kind: "taken" });
});

test("questions under way end with the socket, and closing waits for none of them", async () => {
  linked.standIn.faults.add({ kind: "mute", times: "always" });
  const asking = socket.has(mai);
  asking.catch(() => undefined);
  const begun = performance.now();
  await socket.end("the test ends it");
  await expect(asking).rejects.toThrow("Connection Closed");
  expect(performance.now() - begun).toBeLessThan(5_000);
});
