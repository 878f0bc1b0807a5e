// Messages of every kind go both ways, encrypted, with their receipts.
import { randomBytes } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { downloadMediaMessage } from "baileys";
import type { AnyMessageContent, WAMessage } from "baileys";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PhoneContent } from "./content.ts";
import { Client } from "./fixtures/client.ts";
import { CUSTOMER, openShop, SHOP } from "./fixtures/shop.ts";
import type { Shop } from "./fixtures/shop.ts";

const CUSTOMER_JID = `${CUSTOMER}@s.whatsapp.net`;

let shop: Shop;
let client: Client;
let customerLid: string;

beforeAll(async () => {
  shop = await openShop();
  customerLid = shop.standIn.phone(CUSTOMER).lid;
  setDefaultCACertificates([...getCACertificates("default"), shop.standIn.certificate]);
  client = await shop.open();
});
afterAll(() => shop.close());

/** Sends by the client; resolves with what the stand-in made of it. */
async function sent(content: AnyMessageContent, to = CUSTOMER_JID) {
  const message = await client.socket.sendMessage(to, content);
  const messageId = message?.key.id ?? "";
  const { record } = shop.standIn;
  await record.until(() => record.entries({ kind: "message", messageId }).length > 0);
  const [entry] = record.entries({ kind: "message", messageId });
  if (entry === undefined || message === undefined) throw new Error("Nothing was recorded.");
  return { messageId, entry, message };
}

/** Sends by the customer; resolves with what the client got. */
async function got(
  content: PhoneContent,
  more: { replyTo?: string; addressing?: "lid" | "pn" } = {},
): Promise<WAMessage> {
  const { messageId } = await shop.standIn.send({ from: CUSTOMER, to: SHOP, content, ...more });
  return client.until(
    () => client.messages.find(({ message }) => message.key.id === messageId)?.message,
  );
}

test("whether a number is on WhatsApp", async () => {
  expect(await client.socket.onWhatsApp(CUSTOMER, "9647711111111")).toEqual([
    { jid: CUSTOMER_JID, exists: true },
  ]);
});

test.each(["phone number", "LID"])(
  "a text to a %s is decrypted, delivered, then read",
  async (address) => {
    const to = address === "LID" ? customerLid : CUSTOMER_JID;
    const { messageId, entry } = await sent({ text: `مرحبا 👋 ${address}` }, to);
    expect(entry).toMatchObject({
      to,
      message: { extendedTextMessage: { text: `مرحبا 👋 ${address}` } },
    });
    expect(entry.copies.map(({ error }) => error)).toEqual([null, null]);
    await client.statusOf(messageId, 3);
    shop.standIn.read({ phone: CUSTOMER, chat: SHOP });
    await client.statusOf(messageId, 4);
    expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
      messageId,
      status: "read",
      from: SHOP,
    });
  },
);

test.each(["lid", "pn"] as const)(
  "a text by %s comes with both addresses, and is receipted",
  async (addressing) => {
    const { key } = await got({ kind: "text", text: "كم السعر؟" }, { addressing });
    const addresses = [customerLid, CUSTOMER_JID];
    expect([key.remoteJid, key.remoteJidAlt]).toEqual(
      addressing === "lid" ? addresses : addresses.toReversed(),
    );
    await shop.standIn.settled(SHOP);
    await client.socket.readMessages([key]);
    const { record } = shop.standIn;
    await record.until(
      () => record.entries({ kind: "receipt", messageId: key.id ?? "" }).length === 2,
    );
    expect(record.entries({ kind: "receipt", messageId: key.id ?? "" })).toMatchObject([
      { type: "inactive" },
      { type: "read" },
    ]);
    expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)?.status).toBe("read");
  },
);

test("a file comes and goes byte for byte, over https with the stand-in's certificate", async () => {
  const bytes = randomBytes(70_001);
  const received = await got({
    kind: "document",
    bytes,
    name: "قائمة.pdf",
    mime: "application/pdf",
    caption: "الأسعار",
  });
  expect(received.message?.documentWithCaptionMessage?.message?.documentMessage).toMatchObject({
    fileName: "قائمة.pdf",
  });
  expect(await downloadMediaMessage(received, "buffer", {})).toEqual(bytes);
  const { messageId } = await sent({
    document: bytes,
    fileName: "فاتورة.pdf",
    mimetype: "application/pdf",
  });
  expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
    messageId,
    content: { kind: "document", name: "فاتورة.pdf", mime: "application/pdf" },
  });
  expect(Buffer.from(shop.standIn.media(CUSTOMER, messageId) ?? [])).toEqual(bytes);
  expect(shop.standIn.record.entries({ kind: "upload" })).toMatchObject([
    { status: 200, mediaKind: "document" },
  ]);
});

test("the socket is there by wss as well", async () => {
  const secure = new Client(shop.standIn.socketUrl.replace("ws:", "wss:"));
  expect(await secure.until(() => secure.qrs[0])).toContain("linked_devices");
  await secure.leave();
});

test.each(["image", "voice", "sticker", "video", "audio"] as const)(
  "a %s comes with its kind",
  async (kind) => {
    const bytes = randomBytes(1_000);
    const received = await got({ kind, bytes });
    const { imageMessage, videoMessage, audioMessage, stickerMessage } = received.message ?? {};
    const field = {
      image: imageMessage,
      video: videoMessage,
      audio: audioMessage,
      voice: audioMessage,
      sticker: stickerMessage,
    };
    expect(field[kind]?.mimetype).toBeTruthy();
    expect(audioMessage?.ptt ?? null).toBe({ voice: true, audio: false }[kind as string] ?? null);
    expect(await downloadMediaMessage(received, "buffer", {})).toEqual(bytes);
  },
);

test("a place, a card, an answer, a reaction, an edit and a deletion come as such", async () => {
  const place = await got({ kind: "location", latitude: 33.3, longitude: 44.4, name: "المحل" });
  expect(place.message?.locationMessage).toMatchObject({
    degreesLatitude: 33.3,
    degreesLongitude: 44.4,
    name: "المحل",
  });
  const card = await got({ kind: "contact", name: "علي", phones: ["+9647712345678"] });
  expect(card.message?.contactMessage?.vcard).toContain("waid=9647712345678");
  const { messageId } = await sent({ text: "تفضل" });
  const answer = await got({ kind: "text", text: "شكرا" }, { replyTo: messageId });
  expect(answer.message?.extendedTextMessage?.contextInfo).toMatchObject({ stanzaId: messageId });
  const reaction = await got({ kind: "reaction", messageId, emoji: "❤️" });
  expect(reaction.message?.reactionMessage).toMatchObject({
    text: "❤️",
    key: { id: messageId, fromMe: true },
  });
  const edit = await got({ kind: "edit", messageId: answer.key.id ?? "", text: "شكرا جزيلا" });
  expect(edit.message?.protocolMessage?.editedMessage?.conversation).toBe("شكرا جزيلا");
  const deletion = await got({ kind: "delete", messageId: answer.key.id ?? "" });
  expect(deletion.message?.protocolMessage).toMatchObject({ type: 0, key: { id: answer.key.id } });
  expect(shop.standIn.messages(SHOP, CUSTOMER).slice(-2)).toMatchObject([
    { messageId, reaction: "❤️" },
    { messageId: answer.key.id, edited: true, deleted: true, content: null },
  ]);
});

test("what the client sends beside text lies in the chat as such", async () => {
  const { messageId, message } = await sent({ text: "الأول" });
  const kinds: [AnyMessageContent, PhoneContent["kind"]][] = [
    [{ location: { degreesLatitude: 1, degreesLongitude: 2 } }, "location"],
    [
      {
        contacts: {
          displayName: "علي",
          contacts: [{ vcard: "BEGIN:VCARD\nTEL;waid=964:+964\nEND:VCARD" }],
        },
      },
      "contact",
    ],
  ];
  for (const [content, kind] of kinds) {
    const { messageId: id } = await sent(content);
    expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
      messageId: id,
      content: { kind },
    });
  }
  await sent({ react: { text: "👍", key: message.key } });
  await sent({ edit: message.key, text: "الثاني" });
  const shown = (): unknown =>
    shop.standIn.messages(CUSTOMER, SHOP).find((one) => one.messageId === messageId);
  expect(shown()).toMatchObject({
    content: { text: "الثاني" },
    edited: true,
    reaction: null,
    ownReaction: "👍",
  });
  const { entry } = await sent({ delete: message.key });
  expect(entry.edit).toBe("7");
  expect(shown()).toMatchObject({ deleted: true, content: null });
});

test("what the shop's owner writes on the phone comes to the client as its own", async () => {
  const { messageId } = await shop.standIn.send({
    from: SHOP,
    to: CUSTOMER,
    content: { kind: "text", text: "من الهاتف" },
  });
  const { message } = await client.received("من الهاتف");
  expect(message.key).toMatchObject({ id: messageId, fromMe: true, remoteJid: customerLid });
  expect(shop.standIn.messages(CUSTOMER, SHOP).at(-1)).toMatchObject({
    messageId,
    from: SHOP,
    device: 0,
  });
});

test("who hides the number writes by the LID alone", async () => {
  const number = "9647700000003";
  shop.standIn.addPhone({ number });
  shop.standIn.setPhone(number, { hidesNumber: true });
  await shop.standIn.send({ from: number, to: SHOP, content: { kind: "text", text: "من أنا؟" } });
  const { key } = (await client.received("من أنا؟")).message;
  expect(key).toMatchObject({ remoteJid: shop.standIn.phone(number).lid, remoteJidAlt: undefined });
});

test("what the shop's owner reads on the phone is read for the client too", async () => {
  const { key } = await got({ kind: "text", text: "هل من جديد؟" });
  shop.standIn.read({ phone: SHOP, chat: CUSTOMER });
  expect(await client.statusOf(key.id ?? "", 4)).toBe(true);
});

test("typing is seen on both sides", async () => {
  const seen: string[] = [];
  const end = shop.standIn.onChange(
    (change) => void (change.type === "typing" && seen.push(`${change.phone} ${change.state}`)),
  );
  await client.socket.sendPresenceUpdate("recording", CUSTOMER_JID);
  await shop.standIn.record.until(() => seen.includes(`${CUSTOMER} recording`));
  shop.standIn.type({ phone: CUSTOMER, to: SHOP, state: "composing" });
  expect(await client.until(() => client.typing[0])).toEqual({
    id: customerLid,
    state: "composing",
  });
  end();
});

test("a group is looked at, read from and written to", async () => {
  const { id } = shop.standIn.addGroup({ subject: "العائلة", members: [CUSTOMER, SHOP] });
  expect(await client.socket.groupMetadata(id)).toMatchObject({
    subject: "العائلة",
    participants: [
      { id: customerLid, admin: "superadmin", phoneNumber: CUSTOMER_JID },
      { admin: null },
    ],
  });
  for (const text of ["مساء الخير", "أين أنتم؟"]) {
    const { messageId } = await shop.standIn.send({
      from: CUSTOMER,
      to: id,
      content: { kind: "text", text },
    });
    const { message } = await client.received(text);
    expect(message.key).toMatchObject({
      id: messageId,
      remoteJid: id,
      participant: customerLid,
      fromMe: false,
    });
  }
  for (const text of ["هنا", "وهنا"]) {
    const { entry } = await sent({ text }, id);
    expect(entry.message).toMatchObject({ extendedTextMessage: { text } });
    expect(shop.standIn.messages(CUSTOMER, id).at(-1)).toMatchObject({
      from: SHOP,
      content: { text },
    });
  }
});

test("a customer with a computer reads on both devices, and writes from either", async () => {
  const number = "9647700000002";
  shop.standIn.addPhone({ number, name: "Mai", devices: 2 });
  const { entry } = await sent({ text: "لكليهما" }, `${number}@s.whatsapp.net`);
  expect(entry.copies.filter(({ to }) => to.startsWith(number))).toMatchObject([
    { error: null },
    { error: null },
  ]);
  await shop.standIn.send({
    from: number,
    to: SHOP,
    device: 1,
    content: { kind: "text", text: "من الحاسوب" },
  });
  expect((await client.received("من الحاسوب")).message.pushName).toBe("Mai");
});
