// WhatsApp by QR through the public API: paired, sent, answered on the phone, told by the signed webhook; texts and files, byte for byte.
import { createHash, randomBytes } from "node:crypto";
import { webhookBody } from "@thikaa/schema";
import type { WebhookBody } from "@thikaa/schema";
import { AdminClient, ThikaaClient, verifyWebhook } from "@thikaa/sdk";
import { startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { startWebhookSink, waitFor } from "@thikaa/testkit";
import type { WebhookSink } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, removeFolder, startChild } from "./fixtures/child.ts";
import type { Child } from "./fixtures/child.ts";
import { jpeg } from "./fixtures/whole-line.ts";

const zainab = "9647700000001";
const shop = "9647800000001";
const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(30_000)]);
const ogg = Buffer.concat([Buffer.from("OggS"), randomBytes(9_000)]);

/** What is said in both directions; `path` is where the store's own server has the file. */
const files = [
  { kind: "image", path: "/bag.jpg", mime: "image/jpeg", bytes: jpeg, text: "هذه هي 👜" },
  {
    kind: "document",
    path: `/${encodeURIComponent("عقد ١٨.pdf")}`,
    mime: "application/pdf",
    bytes: pdf,
    name: "عقد ١٨.pdf",
  },
  { kind: "voice", path: "/note.ogg", mime: "audio/ogg", bytes: ogg },
] as const;

let folder: string;
let whatsapp: WhatsAppWebStandIn;
let web: WebhookSink;
let house: Child;
let key: { api_key: string; webhook_secret: string };

beforeAll(async () => {
  folder = await makeFolder();
  whatsapp = await startWhatsAppWebStandIn({
    phones: [
      { number: zainab, name: "زينب" },
      { number: shop, name: "متجر" },
    ],
  });
  web = await startWebhookSink();
  web.answer(({ path }) => {
    const file = files.find((one) => one.path === path);
    return file === undefined ? {} : { headers: { "content-type": file.mime }, body: file.bytes };
  });
  const environment = { WHATSAPP_WEB_URL: whatsapp.url, THIKAA_SANDBOX: "0" };
  house = await startChild({ folder, environment });
  const admin = new AdminClient({ baseUrl: house.url, token: await house.adminToken() });
  await admin.request("POST", "/stores", { slug: "basra", plan: "professional", credits: 1_000 });
  key = await admin.request("POST", "/stores/basra/keys", {
    name: "own system",
    channels: ["wd"],
    webhook: `${web.url}/hook`,
    events: ["message.received", "message.status"],
    rate: 100_000,
  });
  await pair(admin);
}, 90_000);

afterAll(async () => {
  await house?.stop();
  await whatsapp?.close();
  await web?.close();
  await removeFolder(folder);
});

/** Adds the connection, and has the shop's phone scan the first code that is shown. */
async function pair(admin: AdminClient): Promise<void> {
  const { id } = await admin.request<{ id: string }>("POST", "/stores/basra/connections", {
    channel: "wd",
    name: "Basra",
    credentials: { pace_min_ms: "0", pace_max_ms: "0", daily_first_contacts: "0" },
  });
  await admin.pair(id);
  let isScanned = false;
  for await (const { state, qr } of admin.watchPairing(id, {
    signal: AbortSignal.timeout(30_000),
  })) {
    if (state === "connected") return;
    if (qr === undefined || isScanned) continue;
    isScanned = true;
    await whatsapp.scan({ phone: shop, qr });
  }
}

/** Sends, and gives the message's id on the wire. */
async function send(body: object): Promise<string> {
  const answer = await fetch(`${house.url}/basra/api/messaging/?action=send`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key.api_key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ channel: "wd", to: zainab, ...body }),
  });
  const sent = (await answer.json()) as { message_id: string };
  expect(sent).toMatchObject({ ok: true, channel: "wd", to: zainab, status: "queued" });
  return sent.message_id;
}

/** What the webhook was told, with every signature checked. */
function told(): WebhookBody[] {
  return web.received
    .filter(({ path }) => path === "/hook")
    .map(({ body, headers }) => {
      verifyWebhook({ body, headers, secret: key.webhook_secret });
      return webhookBody.parse(JSON.parse(body.toString()));
    });
}

const onPhone = (fits: (content: object) => boolean) =>
  waitFor(
    () =>
      whatsapp
        .messages(zainab, shop)
        .find(({ from, content }) => from === shop && content !== null && fits(content)),
    { what: "the message on Zainab's phone", deadlineMs: 20_000 },
  );

const answered = (providerMessageId: string) =>
  waitFor(
    () =>
      told()
        .map(({ event, data }) => (event === "message.received" ? data : null))
        .find((data) => data?.provider_message_id === providerMessageId),
    { what: "her answer at the webhook", deadlineMs: 20_000 },
  );

test("a text with Arabic and emoji goes to Zainab's phone, and hers comes back to the signed webhook", async () => {
  const text = "مرحبا زينب 👋🏽\nالسعر ٤٥٬٠٠٠ د.ع — <b>OK</b> 🇮🇶";
  await send({ message: text });
  expect((await onPhone((content) => "text" in content && content.text === text)).content).toEqual({
    kind: "text",
    text,
  });
  const answer = "كم السعر؟ وهل التوصيل مجاني 🚚👩🏽‍🦱";
  const { messageId } = await whatsapp.send({
    from: zainab,
    to: shop,
    content: { kind: "text", text: answer },
  });
  const data = await answered(messageId);
  expect(data).toMatchObject({
    channel: "wd",
    to: shop,
    type: "text",
    message: answer,
    contact: { name: "زينب", phone: zainab },
  });
  const repliesTo = whatsapp.messages(zainab, shop).length;
  await send({ to: data.from, message: "من نفس المحادثة" });
  await waitFor(() => whatsapp.messages(zainab, shop).length > repliesTo, {
    what: "what was sent to 'from' in the same chat",
  });
}, 60_000);

test.each(files)(
  "$kind: byte for byte to her phone, and from it to the link in the webhook",
  async (file) => {
    const { kind, path, bytes, mime } = file;
    const caption = "text" in file ? { message: file.text } : {};
    await send({ media_url: web.url + path, media_type: kind, ...caption });
    const { messageId, content } = await onPhone((one) => "kind" in one && one.kind === kind);
    expect(content).toMatchObject({
      kind,
      ...("text" in file && { caption: file.text }),
      ...("name" in file && { name: file.name }),
    });
    expect(Buffer.from(whatsapp.media(zainab, messageId) ?? []).equals(bytes)).toBe(true);

    const said = await whatsapp.send({
      from: zainab,
      to: shop,
      content: {
        kind,
        bytes,
        mime,
        ...("text" in file && { caption: file.text }),
        ...("name" in file && { name: file.name }),
      },
    });
    const { type, message, media } = await answered(said.messageId);
    expect({ type, message }).toEqual({ type: kind, message: "text" in file ? file.text : null });
    expect(media).toMatchObject([
      {
        type: kind,
        mime,
        size: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        status: "ready",
        ...("name" in file && { name: file.name }),
      },
    ]);
    const link = await fetch(String(media[0]?.url));
    expect(Buffer.from(await link.arrayBuffer()).equals(bytes)).toBe(true);
  },
  60_000,
);

test("that her phone has a message, and that she read it, is told as its status", async () => {
  const statuses = (id: string): string[] =>
    told()
      .flatMap(({ event, data, sequence }) =>
        event === "message.status" && data.message_id === id ? [{ sequence, data }] : [],
      )
      .toSorted((one, other) => one.sequence - other.sequence)
      .map(({ data }) => data.status);
  whatsapp.setPhone(zainab, { online: false });
  const id = await send({ message: "هل وصلت؟" });
  await waitFor(() => statuses(id).includes("sent"), { what: "sent" });
  expect(statuses(id)).not.toContain("delivered");
  whatsapp.setPhone(zainab, { online: true });
  await waitFor(() => statuses(id).includes("delivered"), { what: "delivered" });
  expect(statuses(id)).not.toContain("read");
  whatsapp.read({ phone: zainab, chat: shop });
  await waitFor(() => statuses(id).includes("read"), { what: "read" });
  expect(statuses(id).slice(-3)).toEqual(["sent", "delivered", "read"]);
}, 60_000);

test("what she wrote is reacted to and read, and so is shown on her phone; what is sent is reacted to behind it", async () => {
  const client = new ThikaaClient({ baseUrl: house.url, store: "basra", apiKey: key.api_key });
  const done = (id: string) =>
    waitFor(
      async () => {
        const told = await client.message(id);
        if (told.status === "sent") return told;
        throw new Error(JSON.stringify(told.timeline));
      },
      { what: "the command to be done", deadlineMs: 20_000 },
    );
  const said: string[] = [];
  for (const text of ["وصل الطلب", "شكرًا"]) {
    const content = { kind: "text", text } as const;
    const { messageId } = await whatsapp.send({ from: zainab, to: shop, content });
    said.push(messageId);
  }
  const ids: string[] = [];
  for (const providerId of said) ids.push((await answered(providerId)).message_id);
  const her = () =>
    whatsapp.messages(zainab, shop).filter(({ messageId }) => said.includes(messageId));

  const read = await client.markRead(ids[1] ?? "");
  expect(read).toMatchObject({ changes: ids[1], channel: "wd", to: zainab, status: "queued" });
  expect(await done(read.message_id)).toMatchObject({ final: true, price: 0 });
  expect(her()).toMatchObject([{ status: "read" }, { status: "read" }]);
  const receipts = whatsapp.record.entries({ kind: "receipt", phone: shop });
  expect(receipts.filter(({ type }) => type === "read")).toMatchObject([
    { messageIds: expect.arrayContaining(said) },
  ]);
  expect(await client.markRead(ids[1] ?? "")).toMatchObject({ message_id: read.message_id });

  const liked = await client.react(ids[0] ?? "", "❤️");
  expect(await done(liked.message_id)).toMatchObject({ final: true });
  expect(her()).toMatchObject([{ reaction: "❤️" }, { reaction: null }]);
  await done((await client.react(ids[0] ?? "", null)).message_id);
  expect(her()).toMatchObject([{ reaction: null }, { reaction: null }]);

  const own = await send({ message: "مع السلامة" });
  await done((await client.react(own, "👋")).message_id);
  expect(whatsapp.messages(zainab, shop).at(-1)).toMatchObject({
    content: { text: "مع السلامة" },
    ownReaction: "👋",
  });
  expect(await client.message(own)).toMatchObject({ changes: [{ kind: "react" }] });

  const content = { kind: "delete", messageId: said[0] ?? "" } as const;
  await whatsapp.send({ from: zainab, to: shop, content });
  await waitFor(
    () => told().some(({ event, data }) => event === "message.received" && data.type === "delete"),
    { what: "her deletion at the webhook", deadlineMs: 20_000 },
  );
  await expect(client.react(ids[0] ?? "", "👍")).rejects.toThrow(/deleted/);
}, 60_000);
