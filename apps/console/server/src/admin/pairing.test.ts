// Pairing over the admin API and by its link, with a real host and paper phones.
import { newId, toWireId } from "@thikaa/schema";
import type { PairingState } from "@thikaa/schema";
import { AdminClient } from "@thikaa/sdk";
import { paperPairing, PaperPhones } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, describeChannel, startConsole } from "../fixtures/console.ts";
import type { RunningConsole } from "../fixtures/console.ts";
import { startPhones } from "../fixtures/phones.ts";

const phones = new PaperPhones("tg");
let running: RunningConsole;
let client: AdminClient;
let stopPhones: () => Promise<void>;
beforeAll(async () => {
  running = await startConsole();
  client = new AdminClient({ baseUrl: running.url, token: adminToken });
  stopPhones = await startPhones(running, phones);
  await running.admin("POST", "/stores", { slug: "shop" });
});
afterAll(async () => {
  await stopPhones();
  await running.stop();
});

let made = 0;
const numbers = () => `96477000${String(++made).padStart(5, "0")}`;

async function add(credentials: Record<string, string> = {}): Promise<string> {
  const body = { channel: "tg", name: `phone ${made}`, credentials };
  const answer = await running.admin("POST", "/stores/shop/connections", body);
  expect(answer).toMatchObject({
    status: 201,
    body: {
      state: "attention",
      reason: { code: "not_paired" },
      next: expect.stringContaining("connection pair con_"),
    },
  });
  return String(answer.body["id"]);
}

/** The first state of the stream that fits. */
async function until(id: string, fits: (pairing: PairingState) => boolean): Promise<PairingState> {
  for await (const pairing of client.watchPairing(id, { signal: AbortSignal.timeout(10_000) }))
    if (fits(pairing)) return pairing;
  throw new Error("the stream ended");
}

const linkFor = async (id: string) => (await client.createPairingLink(id)).url;
const press = (url: string, wish: object = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  });

test("a connection that waits for its phone is kept; asked for, it shows a code, and the phone that scans it is linked", async () => {
  const id = await add();
  await client.pair(id);
  const { qr = "", expires_at } = await until(id, (pairing) => pairing.qr !== undefined);
  expect(Date.parse(expires_at ?? "")).toBeGreaterThan(Date.now());
  expect(phones.use(qr, "9647701110001")).toBe(true);
  expect(await until(id, ({ state }) => state === "connected")).toEqual({
    state: "connected",
    address: "9647701110001",
  });
  // Asked again, nothing of it changes.
  expect(await client.pair(id)).toEqual({ state: "connected", address: "9647701110001" });
  expect(running.logged()).not.toContain("paper@");
});

test("codes are renewed as they end, until they are used up: then the reason says so, and asking again begins anew", async () => {
  const id = await add();
  [phones.codeMs, phones.codes] = [1_200, 2];
  await client.pair(id);
  const seen = new Set<string>();
  const end = await until(id, ({ state, qr }) => {
    if (qr !== undefined) seen.add(qr);
    return state === "attention";
  });
  [phones.codeMs, phones.codes] = [20_000, 6];
  expect(end.reason).toEqual({
    code: "qr_expired",
    message: paperPairing.reasons.qr_expired.en,
  });
  expect(seen.size).toBe(2);
  // What ended before is not the end of this one.
  expect((await client.pair(id)).state).not.toBe("attention");
  expect((await until(id, ({ qr }) => qr !== undefined)).state).toBe("pairing");
});

test("a number gets a code to type, however it is written; what is no number is refused", async () => {
  const id = await add();
  expect(await client.pair(id, { phone: "٠٠٩٦٤ ٧٧٠ 111 0003" })).toMatchObject({});
  const { code = "", qr } = await until(id, (pairing) => pairing.code !== undefined);
  expect(code).toMatch(/^PAPER\d{3}$/);
  expect(qr).toBeUndefined();
  phones.use(code, "9647701110003");
  await until(id, ({ state }) => state === "connected");
  await expect(client.pair(await add(), { phone: "0770" })).rejects.toMatchObject({
    code: "invalid_request",
  });
});

test("the wrong phone and the phone of another connection are told apart in words", async () => {
  const strict = await add({ phone: "9647701110009" });
  await client.pair(strict);
  const shown = await until(strict, ({ qr }) => qr !== undefined);
  phones.use(shown.qr ?? "", "9647701110008");
  expect((await until(strict, ({ state }) => state === "attention")).reason?.code).toBe(
    "wrong_phone",
  );
  const [first, second] = [await add(), await add()];
  for (const id of [first, second]) {
    await client.pair(id);
    const { qr = "" } = await until(id, (pairing) => pairing.qr !== undefined);
    phones.use(qr, "9647701110010");
    await until(id, ({ state }) => state === "connected" || state === "attention");
  }
  const { reason } = await until(second, () => true);
  expect(reason).toMatchObject({
    code: "paired_in_another_store",
    message: expect.stringContaining("another store"),
  });
});

test("taken back, nothing is shown and its link is dead", async () => {
  const id = await add();
  const url = await linkFor(id);
  await client.pair(id);
  const { qr = "" } = await until(id, (pairing) => pairing.qr !== undefined);
  expect(await client.cancelPairing(id)).toBe(true);
  expect(await until(id, ({ state }) => state === "attention")).toEqual({
    state: "attention",
    reason: expect.objectContaining({ code: "not_paired" }),
  });
  expect(phones.use(qr, numbers())).toBe(false);
  expect((await fetch(url)).status).toBe(404);
  expect(await client.cancelPairing(id)).toBe(false);
});

test("a connection that is switched off, and a channel without phones, are refused in words", async () => {
  const id = await add();
  await running.admin("PATCH", `/connections/${id}`, { desired: "off" });
  await expect(client.pair(id)).rejects.toMatchObject({ code: "conflict" });
  await describeChannel(running.database, "fb");
  const page = newId();
  await running.database.query({
    text: `INSERT INTO connections (store_id, id, channel, name, environment, credentials_sealed, webhook_secret_sealed)
           SELECT id, $1, 'fb', 'page', 'live', 'x', 'x' FROM stores`,
    values: [page],
  });
  const path = `/connections/${toWireId("connection", page)}/pairing`;
  const refused = await running.admin("POST", path);
  expect(refused).toMatchObject({
    status: 409,
    body: { message: expect.stringContaining("are not paired") },
  });
});

test("a link opens its page without a key, and only a digest of its token is kept or logged", async () => {
  const id = await add();
  const url = await linkFor(id);
  const answer = await fetch(url, { headers: { "Accept-Language": "ar" } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  const text = await answer.text();
  const token = url.split("/pair/")[1] ?? "";
  expect(text).toContain('dir="rtl"');
  expect(text).not.toContain(token);
  const kept = await running.database.query({ text: "SELECT * FROM pairing_links" });
  expect(JSON.stringify(kept.rows)).not.toContain(token);
  expect(running.logged()).toContain("/pair/…");
  expect(running.logged()).not.toContain(token);
});

test("a link asks for its own connection, dies with the phone that it linked, and still tells that it did", async () => {
  const id = await add();
  const url = await linkFor(id);
  expect((await press(url)).status).toBe(200);
  const { qr = "" } = await until(id, (pairing) => pairing.qr !== undefined);
  // Opened a second time it goes on with the same code.
  expect((await press(url)).status).toBe(200);
  expect((await until(id, (pairing) => pairing.qr !== undefined)).qr).toBe(qr);
  phones.use(qr, "9647701110020");
  await until(id, ({ state }) => state === "connected");
  expect((await fetch(url)).status).toBe(404);
  expect((await press(url)).status).toBe(404);
  const told = await fetch(`${url}/events`, { signal: AbortSignal.timeout(5_000) });
  const { value } =
    (await told.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {};
  expect(told.status).toBe(200);
  expect(value).not.toContain("<svg");
});

test("a link that is used up never shows a code again", async () => {
  const id = await add();
  const url = await linkFor(id);
  await press(url);
  await until(id, ({ qr }) => qr !== undefined);
  await running.database.query({ text: "UPDATE pairing_links SET used_at = now()" });
  expect(await (await fetch(`${url}/events`)).text()).not.toContain("<svg");
});

test("a newer link ends the older one, and one whose time is over is like one that never was", async () => {
  const id = await add();
  const older = await linkFor(id);
  const newer = await linkFor(id);
  expect((await fetch(older)).status).toBe(404);
  expect((await fetch(newer)).status).toBe(200);
  await running.database.query({ text: "UPDATE pairing_links SET expires_at = now()" });
  for (const url of [newer, `${running.url}/pair/${"a".repeat(43)}`, `${running.url}/pair/x`]) {
    const [page, asked, events] = [
      await fetch(url),
      await press(url),
      await fetch(`${url}/events`),
    ];
    expect([page.status, asked.status, events.status]).toEqual([404, 404, 404]);
    expect(await page.text()).toContain("no longer works");
  }
});

test("a stream by a link ends when the link does", async () => {
  const id = await add();
  const url = await linkFor(id);
  const { body } = await fetch(`${url}/events`);
  let told = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += chunk;
    if (told.includes("event: pairing"))
      await running.database.query({ text: "UPDATE pairing_links SET expires_at = now()" });
  }
  expect(told).toContain("event: pairing");
});

test("a link can't be made to ask without end", async () => {
  const url = await linkFor(await add());
  const answers: number[] = [];
  for (let count = 0; count < 7; count++) answers.push((await press(url)).status);
  expect(answers).toEqual([200, 200, 200, 200, 200, 200, 429]);
});

test("who never called by the admin token sees nothing of a pairing", async () => {
  const id = await add();
  const path = `${running.url}/api/admin/v1/connections/${id}/pairing`;
  for (const method of ["GET", "POST", "DELETE"])
    expect((await fetch(path, { method })).status).toBe(401);
});
