// A client is paired by QR or by code, and told when its code is dead.
import { initAuthCreds } from "baileys";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { WhatsAppWebStandIn } from "./contract.ts";
import { Client, newState } from "./fixtures/client.ts";
import type { ClientState } from "./fixtures/client.ts";
import { SHOP } from "./fixtures/shop.ts";
import { startWhatsAppWebStandIn } from "./start.ts";

let standIn: WhatsAppWebStandIn;
const clients: Client[] = [];

beforeAll(async () => {
  standIn = await startWhatsAppWebStandIn();
  standIn.addPhone({ number: SHOP });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.leave();
  standIn.unlink({ phone: SHOP });
  standIn.record.clear();
});
afterAll(() => standIn.close());

const open = (state?: ClientState, config = {}): Client => {
  const client = new Client(standIn.socketUrl, state, config);
  clients.push(client);
  return client;
};

test("a scanned QR pairs the client, which logs in anew and uploads its keys", async () => {
  const first = open();
  const linked = await standIn.scan({ phone: SHOP, qr: await first.until(() => first.qrs[0]) });
  expect(linked).toMatchObject({
    jid: `${SHOP}:${linked.device}@s.whatsapp.net`,
    platform: "Mac OS, CHROME",
  });
  expect(await first.closed()).toBe(515);
  expect(first.state.creds.me).toMatchObject({
    id: linked.jid,
    lid: standIn.phone(SHOP).lid.replace("@", `:${linked.device}@`),
  });
  const second = open(first.state);
  await second.opened();
  await standIn.settled(SHOP);
  expect(standIn.phone(SHOP).linked).toMatchObject([
    { device: linked.device, connected: true, preKeys: 811, openings: 1, conflicts: 0, pending: 0 },
  ]);
  expect(standIn.record.entries({ kind: "paired" })).toMatchObject([{ by: "qr", phone: SHOP }]);
});

test("eight typed characters pair the client, in any case and with a dash; others do not", async () => {
  const wrong = open();
  await wrong.until(() => wrong.qrs[0]);
  await wrong.socket.requestPairingCode(SHOP, "ABCD1234");
  await expect(standIn.enterCode({ phone: SHOP, code: "ABCD1235" })).rejects.toThrow(
    "The code is wrong.",
  );
  await wrong.leave();
  const client = open();
  await client.until(() => client.qrs[0]);
  const code = await client.socket.requestPairingCode(SHOP);
  await standIn.enterCode({
    phone: SHOP,
    code: `${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase(),
  });
  expect(await client.closed()).toBe(515);
  expect(client.state.creds.registered).toBe(true);
  expect(standIn.record.entries({ kind: "paired" })).toMatchObject([{ by: "code" }]);
  const again = open(client.state);
  await again.opened();
});

test("a client shows six codes and gives up; a code of a client that is gone is dead", async () => {
  const client = open(newState(), { qrTimeout: 20 });
  expect(await client.closed()).toBe(408);
  expect(new Set(client.qrs).size).toBe(6);
  await expect(standIn.scan({ phone: SHOP, qr: client.qrs[5] ?? "" })).rejects.toThrow("expired");
});

test("an unpaired client is told that its secret is retired, and the code with that secret is dead", async () => {
  const client = open();
  const qr = await client.until(() => client.qrs[0]);
  standIn.faults.add({ kind: "companion_refresh" });
  await expect(standIn.scan({ phone: SHOP, qr })).rejects.toThrow("Couldn't link device");
  await client.until(() => client.frames.includes("notification companion_reg_refresh"));
  await expect(standIn.scan({ phone: SHOP, qr })).rejects.toThrow("retired");
  const { advSecretKey } = initAuthCreds();
  client.state.creds.advSecretKey = advSecretKey;
  const renewed = [...qr.split(",").slice(0, 3), advSecretKey, ...qr.split(",").slice(4)].join(",");
  await standIn.scan({ phone: SHOP, qr: renewed });
  expect(await client.closed()).toBe(515);
});

test("a client that goes away in the middle of a pairing fails it at once", async () => {
  const client = open();
  const qr = await client.until(() => client.qrs[0]);
  // Its secret is not the one in the code: it refuses what the phone vouches for, and leaves.
  client.state.creds.advSecretKey = initAuthCreds().advSecretKey;
  await expect(standIn.scan({ phone: SHOP, qr })).rejects.toThrow("The client has left.");
  expect(standIn.phone(SHOP).linked).toEqual([]);
});

test("codes expire on request", async () => {
  const client = open();
  const qr = await client.until(() => client.qrs[0]);
  standIn.expireCodes();
  expect(await client.closed()).toBe(428);
  await expect(standIn.scan({ phone: SHOP, qr })).rejects.toThrow("expired");
});

test("a code with keys of another client is refused, and a scan fails when it is told to", async () => {
  const client = open();
  const qr = await client.until(() => client.qrs[0]);
  const other = Buffer.from(initAuthCreds().noiseKey.public).toString("base64");
  const forged = qr.split(",").with(1, other).join(",");
  await expect(standIn.scan({ phone: SHOP, qr: forged })).rejects.toThrow("other keys");
  standIn.faults.add({ kind: "scan_failure" });
  await expect(standIn.scan({ phone: SHOP, qr })).rejects.toThrow("Try again");
  await standIn.scan({ phone: SHOP, qr });
});
