// Files across processes that share no folder: received by one, served by others, whole after any of them was killed.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { storeEvent } from "@thikaa/schema";
import type { MessageReceivedData, MessageUpdatedData } from "@thikaa/schema";
import { createTestDatabase, natsUrl, waitFor } from "@thikaa/testkit";
import type { TestDatabase } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openServicesHouse } from "../faults/services-house.ts";
import type { ServicesHouse } from "../faults/services-house.ts";

let database: TestDatabase;
let house: ServicesHouse;
let who: { personId: number; botId: number };

beforeAll(async () => {
  database = await createTestDatabase({ name: "services" });
  house = await openServicesHouse({
    given: { databaseUrl: database.url, natsUrl: natsUrl() },
    bots: 1,
    peoplePerBot: 1,
    counts: { gateways: 2, channels: 2, inboxes: 1, webhooks: 1 },
    wired: false,
  });
  const [lane] = house.lanes;
  who = { personId: lane?.personId ?? 0, botId: lane?.bot.botId ?? 0 };
  await house.admin.request("POST", `/stores/${house.slug}/keys`, {
    name: "files",
    channels: ["tg"],
    webhook: `${house.sink.url}/files`,
    events: ["message.received", "message.updated"],
  });
}, 120_000);
afterAll(async () => {
  await house.close();
  await database.close();
}, 60_000);

/** What the webhook was told of this provider's message, oldest first. */
function told(
  messageId: number,
): { event: string; data: MessageReceivedData | MessageUpdatedData }[] {
  return house.sink.received
    .filter(({ path }) => path === "/files")
    .flatMap((request) => {
      const event = storeEvent.parse(request.json());
      const isOfMessage = event.event === "message.received" || event.event === "message.updated";
      return isOfMessage && event.data.provider_message_id === String(messageId) ? [event] : [];
    });
}

function untilTold(messageId: number, count: number, deadlineMs: number) {
  return waitFor(() => told(messageId).length >= count && told(messageId), {
    what: `${count} webhooks about the file`,
    deadlineMs,
  });
}

/** What the bot sent to the person, oldest first. */
function onPhone() {
  return house.standIn
    .messagesWith(who.personId, who.botId)
    .filter(({ author }) => author === "bot")
    .map(({ wire }) => wire);
}

async function send(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
  const [gateway] = house.gateways();
  const response = await fetch(`${gateway}/${house.slug}/api/messaging/?action=send`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": house.apiKey },
    body: JSON.stringify({ channel: "tg", to: who.personId, ...fields }),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** kill −9 of every channel process; gives what ends the leases that they leave behind, which would run for 15 s. */
async function killChannels(): Promise<() => Promise<unknown>> {
  const { rows } = await house.database.query<{ id: string }>({
    text: "SELECT id FROM workers WHERE role LIKE 'channel-%' AND expires_at > now()",
  });
  expect(rows).toHaveLength(2);
  for (const process of house.services.of("channel")) process.signal("SIGKILL");
  return () =>
    house.database.query({
      text: "UPDATE workers SET expires_at = now() WHERE id = ANY($1)",
      values: [rows.map(({ id }) => id)],
    });
}

/** Waits until the next owner has the connection. */
function untilConnected(): Promise<boolean> {
  const [gateway] = house.gateways();
  return waitFor(
    async () => {
      const response = await fetch(`${gateway}/${house.slug}/api/messaging/?action=status`, {
        headers: { "x-api-key": house.apiKey },
      });
      const { connections } = (await response.json()) as { connections: { state: string }[] };
      return connections[0]?.state === "connected";
    },
    { what: "the connection to be up again", deadlineMs: 30_000 },
  );
}

/** The bytes behind a link, asked of each gateway that runs now. */
async function readEverywhere(link: string | null): Promise<Buffer[]> {
  const { pathname, search } = new URL(link ?? "");
  return Promise.all(
    house.gateways().map(async (gateway) => {
      const answer = await fetch(gateway + pathname + search);
      return Buffer.from(await answer.arrayBuffer());
    }),
  );
}

test("a photo, a PDF with an Arabic name and a video of 20 MB arrive byte for byte, from every gateway, also after all were killed", async () => {
  const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(300_000)]);
  const files = [
    { kind: "photo", bytes: jpeg },
    { kind: "document", bytes: randomBytes(50_000), name: "فاتورة تشرين الثاني.pdf" },
    { kind: "video", bytes: randomBytes(20 * 1024 * 1024), name: "clip.mp4" },
  ] as const;
  const links: (string | null)[] = [];
  for (const file of files) {
    const { messageId } = house.standIn.personSendsFile({ ...who, ...file });
    const [received] = await untilTold(messageId, 1, 30_000);
    expect(received).toMatchObject({
      event: "message.received",
      data: { media: [{ status: "ready", size: file.bytes.length }] },
    });
    links.push(received?.data.media_url ?? null);
  }
  expect(links[1]).toContain(encodeURIComponent("فاتورة تشرين الثاني.pdf"));
  const read = async () => (await Promise.all(links.map(readEverywhere))).flat();
  const wanted = files.flatMap(({ bytes }) => [bytes, bytes]);
  expect(
    (await read()).map((bytes, index) => bytes.equals(wanted[index] ?? Buffer.alloc(0))),
  ).toEqual(wanted.map(() => true));
  const altered = new URL(links[0] ?? "");
  altered.searchParams.set("sig", `${altered.searchParams.get("sig")}x`);
  expect((await fetch(altered)).status).toBe(404);
  const endLeases = await killChannels();
  await endLeases();
  for (const process of house.services.of("gateway")) process.signal("SIGKILL");
  house.services.servers.mediaStore?.signal("SIGKILL");
  await Promise.all(house.services.of("gateway").map((gateway) => gateway.untilReady(30_000)));
  await waitFor(
    async () =>
      (await read()).every((bytes, index) => bytes.equals(wanted[index] ?? Buffer.alloc(0))),
    { what: "the files to be there again", deadlineMs: 30_000 },
  );
  await untilConnected();
}, 120_000);

test("5,000 Arabic letters with a JPEG and media_type photo, sent by the API, arrive whole and in order", async () => {
  const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(40_000)]);
  const web = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "image/jpeg" }).end(jpeg);
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  const { port } = web.address() as AddressInfo;
  const text = Array.from({ length: 1_000 }, (_, n) => `كلمة${n % 10}`).join(" ");
  const before = onPhone().length;
  const answer = await send({
    message: text,
    media_url: `http://127.0.0.1:${port}/picture`,
    media_type: "photo",
  });
  expect(answer).toMatchObject({ ok: true, status: "queued" });
  expect(answer).not.toHaveProperty("warnings");
  await waitFor(() => onPhone().slice(before).length === 3, { what: "the picture and the text" });
  const [picture, ...texts] = onPhone().slice(before);
  const shown = house.standIn.file(picture?.photo?.at(-1)?.file_id ?? "");
  expect(shown?.bytes.equals(jpeg)).toBe(true);
  expect(texts.map((wire) => wire.text).join(" ")).toBe(text);
  web.closeAllConnections();
  web.close();
}, 60_000);

test("a hint that nobody knows is a warning; an address without a file fails the message with a reason, and its price is given back", async () => {
  // A gateway answers 404 to a link that nobody made.
  const [gateway = ""] = house.gateways();
  const answer = await send({ media_url: `${gateway}/media/none.jpg`, media_type: "hologram" });
  expect(answer).toMatchObject({ ok: true, warnings: [{ code: "unknown_media_type" }] });
  const address = `${gateway}/${house.slug}/api/messaging/?action=message&id=${String(answer["message_id"])}`;
  const failed = await waitFor(
    async () => {
      const response = await fetch(address, { headers: { "x-api-key": house.apiKey } });
      const message = (await response.json()) as { final: boolean };
      return message.final && message;
    },
    { what: "the message to fail", deadlineMs: 20_000 },
  );
  expect(failed).toMatchObject({
    status: "failed",
    refunded: true,
    reason: { code: "media_not_found" },
  });
}, 60_000);

test("a channel process killed in the middle of a file: the message goes on as pending, and is told of again when the next owner has it", async () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(100_000)]);
  house.standIn.faults.add({ kind: "hang", accepted: true, method: "file" });
  const before = house.standIn.record.calls({ method: "file" }).length;
  const { messageId } = house.standIn.personSendsFile({ ...who, kind: "photo", bytes });
  await house.standIn.record.until(
    () =>
      house.standIn.record
        .calls({ method: "file" })
        .slice(before)
        .some(({ accepted }) => accepted),
    30_000,
  );
  const endLeases = await killChannels();
  // The ten seconds that a message waits for its files are over.
  await house.database.query({ text: "UPDATE inbound_items SET due_at = now()" });
  await untilTold(messageId, 1, 20_000);
  await endLeases();
  const [pending, updated] = await untilTold(messageId, 2, 60_000);
  expect(pending).toMatchObject({
    event: "message.received",
    data: { media_url: null, media: [{ status: "pending" }] },
  });
  expect(updated).toMatchObject({
    event: "message.updated",
    data: { message_id: pending?.data.message_id, media: [{ status: "ready" }] },
  });
  const read = await readEverywhere(updated?.data.media_url ?? null);
  expect(read.map((found) => found.equals(bytes))).toEqual([true, true]);
}, 120_000);
