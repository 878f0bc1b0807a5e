// Who can't decrypt asks again, on both sides; ratchets and what waits outlive a restart of the server.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WAMessageKey } from "baileys";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, copyOf, textOf } from "./fixtures/client.ts";
import { CUSTOMER, openShop, SHOP } from "./fixtures/shop.ts";
import type { Shop } from "./fixtures/shop.ts";
import { startWhatsAppWebStandIn } from "./start.ts";

const CUSTOMER_JID = `${CUSTOMER}@s.whatsapp.net`;
const folder = mkdtempSync(join(tmpdir(), "stand-in-"));
const stateFile = join(folder, "deep/state.json");
let shop: Shop;

beforeAll(async () => {
  shop = await openShop({ stateFile });
});
afterAll(async () => {
  await shop.close();
  rmSync(folder, { recursive: true });
});

const say = (text: string, garbled = false): Promise<{ messageId: string }> =>
  shop.standIn.send({ from: CUSTOMER, to: SHOP, content: { kind: "text", text }, garbled });

/** A word both ways, so that both ends have confirmed their ratchet. */
async function acquaint(client: Client): Promise<void> {
  const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: "salam" });
  await client.statusOf(sent?.key.id ?? "", 3);
  const { messageId } = await say("wa alaykum as-salam");
  await client.until(() => client.messages.some(({ message }) => message.key.id === messageId));
}

test("a phone that lost its ratchets asks again, and the client sends the same message anew", async () => {
  const asked: WAMessageKey[] = [];
  const client = await shop.open({
    getMessage: async (key) => {
      asked.push(key);
      return { conversation: "مرة ثانية" };
    },
  });
  const { record } = shop.standIn;
  await acquaint(client);
  shop.standIn.forgetSessions({ phone: CUSTOMER, with: SHOP });
  const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: "مرة ثانية" });
  const messageId = sent?.key.id ?? "";
  await record.until(() => record.entries({ kind: "message", messageId }).length === 2);
  const [failed, healed] = record.entries({ kind: "message", messageId });
  const copyFor = (copies: { to: string; error: string | null }[] = []) =>
    copies.find(({ to }) => !to.startsWith(SHOP));
  expect(copyFor(failed?.copies)?.error).toContain("no session");
  expect(healed?.message).toMatchObject({ conversation: "مرة ثانية" });
  expect(asked).toMatchObject([{ id: messageId }]);
  await shop.leave(client);
});

test("a client that can't decrypt asks again and gets the same message, once well", async () => {
  const client = await shop.open();
  const { messageId } = await say("spoiled on the way", true);
  const { message } = await client.received("spoiled on the way");
  expect(message.key.id).toBe(messageId);
  expect(client.messages[0]?.message).toMatchObject({ key: { id: messageId }, messageStubType: 2 });
  await shop.standIn.settled(SHOP);
  expect(shop.standIn.record.entries({ messageId })).toMatchObject([
    { kind: "receipt", type: "retry", count: 1 },
    { kind: "ack", error: 500 },
    { kind: "receipt", type: "inactive" },
  ]);
  await shop.leave(client);
});

test("a client rolled back to an older state heals in both directions", async () => {
  const client = await shop.open();
  const old = copyOf(shop.state);
  for (const text of ["a", "b"]) {
    await say(text);
    await client.received(text);
    await client.socket.sendMessage(CUSTOMER_JID, { text: `${text}!` });
  }
  await shop.leave(client);
  const back = await shop.open({}, old);
  await say("after the backup");
  await back.received("after the backup");
  const sent = await back.socket.sendMessage(CUSTOMER_JID, { text: "and back" });
  await back.statusOf(sent?.key.id ?? "", 3);
  expect(shop.standIn.messages(CUSTOMER, SHOP).slice(-2)).toMatchObject([
    { from: CUSTOMER, content: { text: "after the backup" }, status: "delivered" },
    { from: SHOP, content: { text: "and back" } },
  ]);
  await shop.leave(back);
  Object.assign(shop.state, old);
});

test("a customer with a new phone is understood again in both directions", async () => {
  const client = await shop.open();
  await acquaint(client);
  shop.standIn.reinstall(CUSTOMER);
  await shop.standIn.settled(SHOP);
  const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: "still there?" });
  await client.statusOf(sent?.key.id ?? "", 3);
  await say("new phone");
  await client.received("new phone");
  expect(shop.standIn.messages(CUSTOMER, SHOP).slice(-2)).toMatchObject([
    { content: { text: "still there?" } },
    { content: { text: "new phone" } },
  ]);
  await shop.leave(client);
});

test("a phone told not to ask again leaves the message unread", async () => {
  const client = await shop.open();
  shop.standIn.setPhone(CUSTOMER, { retries: false });
  await acquaint(client);
  shop.standIn.forgetSessions({ phone: CUSTOMER, with: SHOP });
  const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: "lost" });
  const messageId = sent?.key.id ?? "";
  const { record } = shop.standIn;
  await record.until(() => record.entries({ kind: "message", messageId }).length === 1);
  expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
    messageId,
    content: null,
    status: "sent",
  });
  shop.standIn.setPhone(CUSTOMER, { retries: true });
  await shop.leave(client);
});

test("linked devices, ratchets and what waits outlive a restart; the file is its owner's alone", async () => {
  await say("while the shop sleeps");
  const before = shop.standIn.phone(SHOP);
  await shop.standIn.close();
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(stateFile, "utf8")).not.toContain("sleeps");
  const standIn = await startWhatsAppWebStandIn({ stateFile });
  expect(standIn.phone(SHOP)).toEqual(before);
  const client = new Client(standIn.socketUrl, shop.state);
  await client.opened();
  await client.received("while the shop sleeps");
  await standIn.send({ from: CUSTOMER, to: SHOP, content: { kind: "text", text: "awake" } });
  await client.received("awake");
  expect(client.messages.every(({ message }) => textOf(message) !== null)).toBe(true);
  await client.leave();
  await standIn.close();
});
