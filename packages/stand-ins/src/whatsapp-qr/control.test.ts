// The control API over HTTP does what the TypeScript API does.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WhatsAppWebStandIn } from "./contract.ts";
import { Client } from "./fixtures/client.ts";
import { CUSTOMER, SHOP } from "./fixtures/shop.ts";
import { startWhatsAppWebStandIn } from "./start.ts";

let standIn: WhatsAppWebStandIn;
let root: string;

beforeAll(async () => {
  standIn = await startWhatsAppWebStandIn();
  root = `${standIn.url}/stand-in/whatsapp-web`;
});
afterAll(() => standIn.close());

async function ask(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const sent =
    body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${root}/${path}`, { method, ...sent });
  return { status: response.status, body: await response.json() };
}

test("a phone, a pairing, a conversation with a file, a fault and the record, all over HTTP", async () => {
  expect((await ask("GET", "about")).body).toMatchObject({
    socketUrl: standIn.socketUrl,
    certificate: expect.stringContaining("BEGIN CERTIFICATE"),
  });
  expect(await ask("POST", "phones", { number: SHOP, name: "متجر" })).toMatchObject({
    status: 201,
    body: { number: SHOP, linked: [] },
  });
  const first = new Client(standIn.socketUrl);
  const qr = await first.until(() => first.qrs[0]);
  expect(await ask("POST", "scans", { phone: SHOP, qr })).toMatchObject({
    status: 201,
    body: { device: 1 },
  });
  await first.closed();
  const client = new Client(standIn.socketUrl, first.state);
  await client.opened();
  const said = await ask("POST", "messages", {
    from: CUSTOMER,
    to: SHOP,
    content: { kind: "text", text: "مرحبا" },
  });
  expect(said).toMatchObject({ status: 201, body: { messageId: expect.any(String) } });
  await client.received("مرحبا");
  const query = new URLSearchParams({ from: CUSTOMER, to: SHOP, kind: "image", caption: "صورة" });
  const uploaded = await fetch(`${root}/files?${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: "bytes",
  });
  const { messageId } = (await uploaded.json()) as { messageId: string };
  await client.until(() => client.messages.find(({ message }) => message.key.id === messageId));
  const file = await fetch(`${root}/files?phone=${CUSTOMER}&messageId=${messageId}`);
  expect(await file.text()).toBe("bytes");
  await ask("POST", "faults", { kind: "refuse_message", error: 463 });
  await client.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: "refused" });
  await standIn.record.until(() => standIn.record.entries({ kind: "message" }).length > 0);
  expect((await ask("GET", "record?kind=message")).body).toMatchObject([{ refused: 463 }]);
  expect((await ask("GET", `messages?phone=${SHOP}&chat=${CUSTOMER}`)).body).toMatchObject([
    { content: { kind: "text", text: "مرحبا" } },
    { content: { kind: "image", caption: "صورة" } },
  ]);
  await ask("POST", "unlinks", { phone: SHOP });
  expect(await client.closed()).toBe(401);
});

test("changes are streamed as they happen", async () => {
  const leave = new AbortController();
  const response = await fetch(`${root}/events`, { signal: leave.signal });
  await ask("POST", "phones", { number: "9647800000009" });
  await ask("POST", "messages", {
    from: CUSTOMER,
    to: "9647800000009",
    content: { kind: "text", text: "live" },
  });
  let seen = "";
  for await (const chunk of response.body ?? []) {
    seen += Buffer.from(chunk).toString("utf8");
    if (seen.includes("live")) break;
  }
  leave.abort();
  expect(seen).toContain("event: message\ndata: ");
});

test("no key leaves by the control API", async () => {
  const listed = [
    await ask("GET", "phones"),
    await ask("GET", "record"),
    await ask("GET", "about"),
  ];
  expect(JSON.stringify(listed)).not.toMatch(/private|privKey/i);
});

test("the clock moves over HTTP, forward only", async () => {
  const before = standIn.clock.now();
  await ask("POST", "clock", { advanceMs: 3_600_000 });
  expect(standIn.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
  expect((await ask("POST", "clock", { advanceMs: -1 })).status).toBe(400);
});

test("what is wrong is said in plain words", async () => {
  const content = { kind: "text", text: "x" };
  expect(await ask("POST", "messages", { from: "123", to: SHOP, content })).toMatchObject({
    status: 400,
    body: { error: "There is no phone 123." },
  });
  expect(await ask("POST", "phones", { number: "12" })).toMatchObject({ status: 400 });
  expect(await ask("POST", "scans", { phone: CUSTOMER, qr: "2@x,y" })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining("expired") },
  });
  expect((await ask("POST", "faults", { kind: "earthquake" })).status).toBe(400);
  expect((await ask("GET", "nothing")).status).toBe(404);
  const asPage = await fetch(`${root}/messages`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: "{}",
  });
  expect(asPage.status).toBe(415);
});
