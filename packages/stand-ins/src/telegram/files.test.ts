// Files: what a person sends can be downloaded as on the real server, and what a bot sends arrives, whichever way it is given.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Api, InputFile } from "grammy";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TelegramStandIn } from "./contract.ts";
import { call, startWithChat, ZAINAB } from "./fixtures/world.ts";

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(5_000)]);
let standIn: TelegramStandIn;
let botId: number;
let token: string;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  ({ standIn, botId, token } = await startWithChat());
  closing = [() => standIn.close()];
});
afterEach(async () => {
  for (const close of closing) await close();
});

const api = (method: string, body?: unknown) => call(`${standIn.url}/bot${token}/${method}`, body);
const last = () => standIn.messagesWith(ZAINAB.id, botId).at(-1)?.wire;

/** A web server with one file; gives its address. */
async function serve(bytes: Buffer, mime: string, status = 200): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": mime }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/pictures/a.jpg`;
}

test("a photo comes in several sizes; the largest is the one that was sent", async () => {
  standIn.personSendsFile({
    personId: ZAINAB.id,
    botId,
    kind: "photo",
    bytes: jpeg,
    caption: "كم؟",
  });
  const { body } = await api("getUpdates");
  expect(body["result"]).toMatchObject([
    {
      message: {
        caption: "كم؟",
        photo: [{ width: 90 }, { width: 320 }, { file_size: jpeg.length }],
      },
    },
  ]);
  const largest = last()?.photo?.at(-1);
  const found = await api("getFile", { file_id: largest?.file_id });
  const { file_path: path } = found.body["result"] as { file_path: string };
  const response = await fetch(`${standIn.url}/file/bot${token}/${path}`);
  expect(Buffer.from(await response.arrayBuffer()).equals(jpeg)).toBe(true);
});

test("a document keeps its Arabic name, and its type comes from it", () => {
  standIn.personSendsFile({
    personId: ZAINAB.id,
    botId,
    kind: "document",
    bytes: Buffer.from("%PDF"),
    name: "فاتورة الشهر.pdf",
  });
  expect(last()?.document).toMatchObject({
    file_name: "فاتورة الشهر.pdf",
    mime_type: "application/pdf",
    file_size: 4,
  });
});

test("what can't be downloaded is refused with the real server's words", async () => {
  const { fileId } = standIn.personSendsFile({
    personId: ZAINAB.id,
    botId,
    kind: "video",
    bytes: Buffer.alloc(20 * 1024 * 1024 + 1),
  });
  const foreign = standIn.addBot();
  const refusals = [
    (await api("getFile", { file_id: fileId })).body,
    (await api("getFile", { file_id: "nonsense" })).body,
    (await call(`${standIn.url}/bot${foreign.token}/getFile`, { file_id: fileId })).body,
  ];
  expect(refusals.map(({ description }) => description)).toEqual([
    "Bad Request: file is too big",
    "Bad Request: invalid file_id",
    "Bad Request: invalid file_id",
  ]);
});

test("a path is good for an hour, and for its own bot alone", async () => {
  const { fileId } = standIn.personSendsFile({
    personId: ZAINAB.id,
    botId,
    kind: "voice",
    bytes: Buffer.from("OggS"),
  });
  const { file_path: path } = (await api("getFile", { file_id: fileId })).body["result"] as {
    file_path: string;
  };
  const status = async (by: string) => (await fetch(`${standIn.url}/file/bot${by}/${path}`)).status;
  expect([await status(token), await status(standIn.addBot().token), await status("1:x")]).toEqual([
    200, 404, 401,
  ]);
  standIn.clock.advance(3_600_001);
  expect(await status(token)).toBe(404);
});

test("an upload arrives, is on record with its digest, and can be sent again by its id", async () => {
  const client = new Api(token, { apiRoot: standIn.url });
  const sent = await client.sendDocument(ZAINAB.id, new InputFile(jpeg, "صورة (1).jpg"), {
    caption: "مرفق",
  });
  expect(standIn.file(sent.document.file_id)?.bytes.equals(jpeg)).toBe(true);
  expect(last()).toMatchObject({ caption: "مرفق", document: { file_name: "صورة (1).jpg" } });
  expect(standIn.record.calls({ method: "sendDocument" })[0]?.uploads).toMatchObject([
    { fileName: "صورة (1).jpg", sha256: createHash("sha256").update(jpeg).digest("hex") },
  ]);
  const again = await api("sendDocument", { chat_id: ZAINAB.id, document: sent.document.file_id });
  expect(again.status).toBe(200);
  const asPhoto = await api("sendPhoto", { chat_id: ZAINAB.id, photo: sent.document.file_id });
  expect(asPhoto.body["description"]).toBe("Bad Request: can't use file of type Document as Photo");
});

test("a URL is fetched; what is not there, of the wrong type or too large is refused in three ways, and a failure is remembered", async () => {
  const send = async (method: string, field: string, url: string) =>
    (await api(method, { chat_id: ZAINAB.id, [field]: url })).body["description"] ?? "taken";
  const good = await serve(jpeg, "image/jpeg");
  const gone = await serve(jpeg, "image/jpeg", 404);
  expect([
    await send("sendPhoto", "photo", good),
    await send("sendPhoto", "photo", gone),
    await send("sendPhoto", "photo", await serve(jpeg, "text/html")),
    await send("sendPhoto", "photo", await serve(Buffer.alloc(5 * 1024 * 1024 + 1), "image/jpeg")),
    await send("sendDocument", "document", good),
    await send("sendPhoto", "photo", "not a file"),
  ]).toEqual([
    "taken",
    "Bad Request: failed to get HTTP URL content",
    "Bad Request: wrong type of the web page content",
    "Bad Request: failed to get HTTP URL content",
    "Bad Request: wrong type of the web page content",
    "Bad Request: wrong file identifier/HTTP URL specified",
  ]);
});

test("bytes that are no picture are no photo, and captions have a limit", async () => {
  const client = new Api(token, { apiRoot: standIn.url });
  await expect(
    client.sendPhoto(ZAINAB.id, new InputFile(Buffer.from("text"), "a.jpg")),
  ).rejects.toThrow("IMAGE_PROCESS_FAILED");
  await expect(
    client.sendPhoto(ZAINAB.id, new InputFile(jpeg, "a.jpg"), { caption: "ا".repeat(1_025) }),
  ).rejects.toThrow("caption is too long");
});

test("another process sends and reads files by the control API", async () => {
  const query = new URLSearchParams({
    personId: String(ZAINAB.id),
    botId: String(botId),
    kind: "document",
    name: "عقد.pdf",
  });
  const files = `${standIn.url}/stand-in/telegram/files`;
  const sent = await fetch(`${files}?${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: jpeg,
  });
  const { fileId } = (await sent.json()) as { fileId: string };
  const back = await fetch(`${files}?fileId=${encodeURIComponent(fileId)}`);
  expect(Buffer.from(await back.arrayBuffer()).equals(jpeg)).toBe(true);
  expect(last()?.document?.file_name).toBe("عقد.pdf");
});

test("a download can be made to hang half way", async () => {
  const { fileId } = standIn.personSendsFile({
    personId: ZAINAB.id,
    botId,
    kind: "photo",
    bytes: jpeg,
  });
  const { file_path: path } = (await api("getFile", { file_id: fileId })).body["result"] as {
    file_path: string;
  };
  standIn.faults.add({ kind: "hang", accepted: true, method: "file" });
  const leave = new AbortController();
  const response = await fetch(`${standIn.url}/file/bot${token}/${path}`, { signal: leave.signal });
  const first = await response.body?.getReader().read();
  expect(first?.value?.length).toBeGreaterThan(0);
  leave.abort();
  await standIn.record.until(() => standIn.record.calls({ method: "file" })[0]?.outcome === "left");
});
