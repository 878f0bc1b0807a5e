// Connections end in all the ways of the real server, and what waits comes when the client is back.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Client } from "./fixtures/client.ts";
import { CUSTOMER, openShop, pair, SHOP } from "./fixtures/shop.ts";
import type { Shop } from "./fixtures/shop.ts";

const CUSTOMER_JID = `${CUSTOMER}@s.whatsapp.net`;
let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});
afterEach(() => {
  shop.standIn.faults.clear();
  shop.standIn.record.clear();
});
afterAll(() => shop.close());

const say = (text: string): Promise<{ messageId: string }> =>
  shop.standIn.send({ from: CUSTOMER, to: SHOP, content: { kind: "text", text } });

test("what was written meanwhile comes at the next login, once, in order, as `append`", async () => {
  const first = await shop.open();
  await shop.leave(first);
  for (const text of ["one", "two", "three"]) await say(text);
  expect(shop.standIn.phone(SHOP).linked[0]).toMatchObject({ connected: false, pending: 3 });
  const second = await shop.open();
  await second.received("three");
  expect(second.messages.map(({ type, message }) => [type, message.message?.conversation])).toEqual(
    [
      ["append", "one"],
      ["append", "two"],
      ["append", "three"],
    ],
  );
  await shop.leave(second);
  const third = await shop.open();
  expect(third.messages).toEqual([]);
  await shop.leave(third);
});

test("a second login with the same keys replaces the first, and is counted", async () => {
  const first = await shop.open();
  const second = await shop.open();
  expect(await first.closed()).toBe(440);
  expect(shop.standIn.phone(SHOP).linked[0]).toMatchObject({ connected: true, conflicts: 1 });
  expect(shop.standIn.record.entries({ kind: "opened" })).toMatchObject([
    { conflict: false },
    { conflict: true },
  ]);
  await shop.leave(second);
});

test.each([
  [{ by: "stream_error", code: 500 }, 500],
  [{ by: "stream_error", code: 503 }, 503],
  [{ by: "stream_error", code: 515 }, 515],
  [{ by: "reset" }, 428],
  [{ by: "stream_end" }, 428],
  [{ by: "replaced" }, 440],
  [{ by: "downgrade" }, 411],
] as const)("an ending %o is a %i to the client", async (ending, code) => {
  const client = await shop.open();
  shop.standIn.disconnect({ phone: SHOP, ...ending });
  expect(await client.closed()).toBe(code);
});

test.each([401, 402, 403, 405, 503])(
  "a login refused by %i is that to the client",
  async (reason) => {
    shop.standIn.faults.add({ kind: "login_failure", reason });
    const client = new Client(shop.standIn.socketUrl, shop.state);
    expect(await client.closed()).toBe(reason);
    expect(shop.standIn.record.entries({ kind: "refused" })).toMatchObject([
      { reason, phone: SHOP },
    ]);
  },
);

test("a message refused by 463 or 479 fails and reaches nobody", async () => {
  const client = await shop.open();
  for (const error of [463, 479]) {
    shop.standIn.faults.add({ kind: "refuse_message", error, to: CUSTOMER });
    const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: `refused ${error}` });
    const messageId = sent?.key.id ?? "";
    await client.statusOf(messageId, 0);
    expect(shop.standIn.record.entries({ messageId })).toMatchObject([
      { kind: "message", refused: error, copies: [] },
    ]);
  }
  expect(shop.standIn.messages(CUSTOMER, SHOP).filter(({ from }) => from === SHOP)).toEqual([]);
  await shop.leave(client);
});

test("a message to a number that nobody has is acknowledged and reaches nobody", async () => {
  const client = await shop.open();
  const sent = await client.socket.sendMessage("9647799999999@s.whatsapp.net", { text: "?" });
  const messageId = sent?.key.id ?? "";
  const { record } = shop.standIn;
  await record.until(() => record.entries({ kind: "message", messageId }).length === 1);
  const [entry] = record.entries({ kind: "message", messageId });
  expect(entry).toMatchObject({ to: "9647799999999@s.whatsapp.net", refused: null });
  expect(entry?.copies.filter(({ to }) => !to.startsWith(SHOP))).toEqual([]);
  await shop.leave(client);
});

test("a connection cut after a message leaves the client in doubt; its same message again is the same", async () => {
  const client = await shop.open();
  shop.standIn.faults.add({ kind: "drop_after_message" });
  const messageId = "3EB0AAAAAAAAAAAAAAAAAA";
  await client.socket.sendMessage(CUSTOMER_JID, { text: "once" }, { messageId });
  expect(await client.closed()).toBe(428);
  const again = await shop.open();
  await again.socket.sendMessage(CUSTOMER_JID, { text: "once" }, { messageId });
  const { record } = shop.standIn;
  await record.until(() => record.entries({ kind: "message", messageId }).length === 2);
  const copies = record
    .entries({ kind: "message", messageId })
    .map((entry) => entry.copies.map(({ repeated }) => repeated));
  expect(copies).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(
    shop.standIn.messages(CUSTOMER, SHOP).filter((one) => one.messageId === messageId),
  ).toHaveLength(1);
  await shop.leave(again);
});

test("a mute server is noticed by the client's keep-alive", async () => {
  const client = await shop.open({ keepAliveIntervalMs: 50 });
  const fault = shop.standIn.faults.add({ kind: "mute", times: "always" });
  expect(await client.closed()).toBe(408);
  const deafened = new Client(shop.standIn.socketUrl, shop.state, { connectTimeoutMs: 200 });
  expect(await deafened.closed()).toBe(408);
  fault.remove();
});

test("a deaf connection answers questions and delivers nothing until it ends", async () => {
  const client = await shop.open();
  const fault = shop.standIn.faults.add({ kind: "deaf", phone: SHOP, times: "always" });
  await say("behind the glass");
  expect(await client.socket.onWhatsApp(CUSTOMER)).toHaveLength(1);
  expect(client.messages).toEqual([]);
  fault.remove();
  await client.received("behind the glass");
  await shop.leave(client);
});

test("a question is refused, left without an answer, or answered late, when told to", async () => {
  const client = await shop.open({ defaultQueryTimeoutMs: 100 });
  shop.standIn.faults.add({
    kind: "refuse_query",
    about: "usync get",
    error: 429,
    text: "rate-overlimit",
  });
  await expect(client.socket.onWhatsApp(CUSTOMER)).rejects.toThrow("rate-overlimit");
  shop.standIn.faults.add({ kind: "ignore_query", about: "usync get" });
  expect(await client.socket.onWhatsApp(CUSTOMER)).toBeUndefined();
  shop.standIn.faults.add({ kind: "slow", delayMs: 60_000 });
  const late = client.socket.onWhatsApp(CUSTOMER);
  const asked = (): number =>
    shop.standIn.record
      .entries({ kind: "query" })
      .filter(({ about }) => about === "usync get usync").length;
  await shop.standIn.record.until(() => asked() === 3);
  shop.standIn.clock.advance(60_000);
  expect(await late).toHaveLength(1);
  expect(await client.socket.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
  await shop.leave(client);
});

test("a client whose one-time keys run out is asked for more", async () => {
  const client = await shop.open();
  const { device = 0, preKeys = 0 } = shop.standIn.phone(SHOP).linked[0] ?? {};
  const user = { tag: "user", attrs: { jid: `${SHOP}:${device}@s.whatsapp.net` } };
  const users = Array.from({ length: preKeys - 4 }, () => user);
  await client.socket.query({
    tag: "iq",
    attrs: { to: "@s.whatsapp.net", type: "get", xmlns: "encrypt" },
    content: [{ tag: "key", attrs: {}, content: users }],
  });
  const left = (): number => shop.standIn.phone(SHOP).linked[0]?.preKeys ?? 0;
  expect(left()).toBe(4);
  await shop.standIn.record.until(() => left() > 4);
  await shop.leave(client);
});

test("two paired phones write to each other through the server alone", async () => {
  const other = "9647800000002";
  const state = await pair(shop.standIn, other);
  const first = await shop.open();
  const second = await shop.open({}, state);
  const sent = await first.socket.sendMessage(`${other}@s.whatsapp.net`, {
    text: "من متجر إلى متجر",
  });
  const { message } = await second.received("من متجر إلى متجر");
  expect(message.key.id).toBe(sent?.key.id);
  await first.statusOf(sent?.key.id ?? "", 3);
  const { id } = shop.standIn.addGroup({ subject: "تجار", members: [SHOP, other, CUSTOMER] });
  for (const text of ["أول", "ثان"]) {
    await first.socket.sendMessage(id, { text });
    const inGroup = await second.received(text);
    expect(inGroup.message.key).toMatchObject({ remoteJid: id, fromMe: false });
  }
  await Promise.all([shop.leave(first), second.leave()]);
});

test("a phone that is switched off gets it later", async () => {
  const client = await shop.open();
  shop.standIn.setPhone(CUSTOMER, { online: false });
  const sent = await client.socket.sendMessage(CUSTOMER_JID, { text: "later" });
  const messageId = sent?.key.id ?? "";
  const { record } = shop.standIn;
  await record.until(() => record.entries({ kind: "message", messageId }).length === 1);
  expect(client.updates.filter(({ key }) => key.id === messageId)).toEqual([]);
  shop.standIn.setPhone(CUSTOMER, { online: true });
  await client.statusOf(messageId, 3);
  expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
    messageId,
    status: "delivered",
  });
  await shop.leave(client);
});

test("a client that logs out is forgotten", async () => {
  const other = "9647800000003";
  const state = await pair(shop.standIn, other);
  const client = new Client(shop.standIn.socketUrl, state);
  await client.opened();
  await client.socket.logout();
  expect(await client.closed()).toBe(401);
  await shop.standIn.record.until(() => shop.standIn.phone(other).linked.length === 0);
});

test("a device that the phone removed is told by a 401, and refused from then on", async () => {
  const client = await shop.open();
  shop.standIn.unlink({ phone: SHOP });
  expect(await client.closed()).toBe(401);
  const again = new Client(shop.standIn.socketUrl, shop.state);
  expect(await again.closed()).toBe(401);
  expect(shop.standIn.phone(SHOP).linked).toEqual([]);
});

test("a removal without a code looks like a replacement, but for its data", async () => {
  const other = "9647800000004";
  const client = new Client(shop.standIn.socketUrl, await pair(shop.standIn, other));
  await client.opened();
  shop.standIn.unlink({ phone: other, withoutCode: true });
  expect(await client.closed()).toBe(440);
  expect(client.closeData).toMatchObject({ attrs: { type: "device_removed" } });
});
