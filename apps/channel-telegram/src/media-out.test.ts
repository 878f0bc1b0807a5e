// Our users' files through the running app: judged by the calls and the bytes at the Telegram stand-in.
import type { OutboundContent } from "@thikaa/schema";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jpeg, sha256, startFileServer } from "./fixtures/files.ts";
import type { FileServer } from "./fixtures/files.ts";
import { addBot, must, World, zainab } from "./fixtures/world.ts";

let world: World;
let telegram: TelegramStandIn;
let bot: { id: number; token: string };
let connection: { id: string; storeId: string };
let web: FileServer;
beforeEach(async () => {
  world = await World.create();
  telegram = await world.standIn();
  bot = addBot(telegram);
  connection = await world.connect(bot.token);
  web = await startFileServer();
  world.closeLater(() => web.close());
});
afterEach(() => world.close());

type Media = NonNullable<OutboundContent["media"]>;
const queue = (media: Media, text: string | null = null) =>
  world.queue(connection, zainab.id, { text, media });
const ours = /Thikaa/;
/** What the bot sent, oldest first. */
const onPhone = () =>
  telegram
    .messagesWith(zainab.id, bot.id)
    .filter(({ author }) => author === "bot")
    .map(({ wire }) => wire);
const fileCalls = () =>
  telegram.record.calls().filter(({ method }) => /^send(?!Message)/.test(method));
const bytesAt = (fileId: string | undefined) =>
  telegram.file(fileId ?? "")?.bytes ?? Buffer.alloc(0);

const kinds = [
  {
    kind: "image",
    method: "sendPhoto",
    field: "photo",
    mime: "image/jpeg",
    name: "a.jpg",
    bytes: jpeg,
  },
  {
    kind: "document",
    method: "sendDocument",
    field: "document",
    mime: "application/pdf",
    name: "a.pdf",
    bytes: Buffer.from("%PDF-1.7"),
  },
  {
    kind: "video",
    method: "sendVideo",
    field: "video",
    mime: "video/mp4",
    name: "a.mp4",
    bytes: Buffer.from("....ftypmp42"),
  },
  {
    kind: "audio",
    method: "sendAudio",
    field: "audio",
    mime: "audio/mpeg",
    name: "a.mp3",
    bytes: Buffer.from("ID3 audio"),
  },
  {
    kind: "voice",
    method: "sendVoice",
    field: "voice",
    mime: "audio/ogg",
    name: "a.ogg",
    bytes: Buffer.from("OggS voice"),
  },
  {
    kind: "sticker",
    method: "sendSticker",
    field: "sticker",
    mime: "image/webp",
    name: "a.webp",
    bytes: Buffer.from("RIFF....WEBP"),
  },
] as const;

test.each(kinds)(
  "$kind: Telegram is given the address; where it gets nothing, it is given the bytes",
  async ({ kind, method, field, mime, name, bytes }) => {
    const caption = kind === "sticker" ? null : "تفضل";
    await world.start(telegram);
    const open = web.serve(`/open/${name}`, { bytes, mime });
    await world.untilStatus(await queue({ url: open, kind }, caption), "sent");
    const hidden = web.serve(`/hidden/${name}`, { bytes, mime });
    web.hideFrom(/^(?!Thikaa)/);
    await world.untilStatus(await queue({ url: hidden, kind }, caption), "sent");
    const common = { chat_id: String(zainab.id), ...(caption === null ? {} : { caption }) };
    expect(fileCalls()).toMatchObject([
      { method, accepted: true, parameters: { ...common, [field]: open }, uploads: [] },
      { method, accepted: false, parameters: { ...common, [field]: hidden } },
      {
        method,
        accepted: true,
        parameters: common,
        uploads: [{ fileName: name, size: bytes.length, sha256: sha256(bytes) }],
      },
    ]);
    const files = onPhone().map((wire) => [wire[field]].flat().at(-1)?.file_id);
    expect(files.map((fileId) => bytesAt(fileId).equals(bytes))).toEqual([true, true]);
  },
);

test("5,000 Arabic letters with a JPEG arrive whole and in order: the picture, then the text", async () => {
  await world.start(telegram);
  const text = Array.from({ length: 1_000 }, (_, n) => `كلمة${n % 10}`).join(" ");
  const url = web.serve("/a.jpg", { bytes: jpeg, mime: "image/jpeg" });
  expect(text.length).toBeGreaterThan(5_000);
  await world.untilStatus(await queue({ url, kind: "image" }, text), "sent");
  const [picture, ...texts] = onPhone();
  expect(bytesAt(picture?.photo?.at(-1)?.file_id).equals(jpeg)).toBe(true);
  expect(picture?.caption).toBeUndefined();
  expect(texts.map((wire) => wire.text).join(" ")).toBe(text);
});

test("a caption goes with its file up to 1,024 UTF-16 units, and after it from there on", async () => {
  await world.start(telegram);
  const url = web.serve("/a.jpg", { bytes: jpeg, mime: "image/jpeg" });
  await world.untilStatus(await queue({ url, kind: "image" }, "ب".repeat(1_024)), "sent");
  await world.untilStatus(await queue({ url, kind: "image" }, "ب".repeat(1_025)), "sent");
  expect(onPhone().map(({ caption, text }) => [caption?.length, text?.length])).toEqual([
    [1_024, undefined],
    [undefined, undefined],
    [undefined, 1_025],
  ]);
});

test("the file id is used again: by other messages, and after a restart", async () => {
  const first = await world.start(telegram);
  const url = web.serve("/a.jpg", { bytes: jpeg, mime: "image/jpeg" });
  await world.untilStatus(await queue({ url, kind: "image" }), "sent");
  await world.untilStatus(await queue({ url, kind: "image" }), "sent");
  await waitFor(
    async () => {
      const { rowCount } = await world.database.query({ text: "SELECT 1 FROM connector_state" });
      return rowCount === 1;
    },
    { what: "the file id to be noted" },
  );
  await first.stop();
  await world.start(telegram);
  await world.untilStatus(await queue({ url, kind: "image" }), "sent");
  const [byAddress, ...again] = fileCalls().map(({ parameters }) => parameters["photo"]);
  const fileId = onPhone()[0]?.photo?.at(-1)?.file_id;
  expect(byAddress).toBe(url);
  expect(again).toEqual([fileId, fileId]);
  expect(web.visits).toHaveLength(1);
});

test("a file id that Telegram no longer takes is forgotten, and the file goes the long way", async () => {
  await world.start(telegram);
  const url = web.serve("/a.jpg", { bytes: jpeg, mime: "image/jpeg" });
  await world.untilStatus(await queue({ url, kind: "image" }), "sent");
  telegram.faults.add({
    kind: "error",
    status: 400,
    description: "Bad Request: wrong file identifier/HTTP URL specified",
    method: "sendPhoto",
  });
  await world.untilStatus(await queue({ url, kind: "image" }), "sent");
  expect(fileCalls().at(-1)).toMatchObject({ accepted: true, parameters: { photo: url } });
});

test("without a hint or a telling name the file's own type decides", async () => {
  await world.start(telegram);
  const picture = web.serve("/download", { bytes: jpeg, mime: "image/jpeg" });
  const sheet = web.serve("/export", {
    bytes: Buffer.from("a,b"),
    mime: "text/csv; charset=utf-8",
    headers: {
      "content-disposition": "attachment; filename*=UTF-8''%D8%AA%D9%82%D8%B1%D9%8A%D8%B1",
    },
  });
  const guessed = { kind: "document", guessed: true } as const;
  await world.untilStatus(await queue({ url: picture, ...guessed }, "صورة"), "sent");
  await world.untilStatus(await queue({ url: sheet, ...guessed }), "sent");
  expect(onPhone()).toMatchObject([
    { caption: "صورة", photo: [{}, {}, { file_size: jpeg.length }] },
    { document: { file_name: "تقرير.csv", file_size: 3 } },
  ]);
});

test("an address that redirects is followed", async () => {
  await world.start(telegram);
  const target = web.serve("/real.jpg", { bytes: jpeg, mime: "image/jpeg" });
  const url = web.serve("/short", {
    bytes: Buffer.alloc(0),
    mime: "text/html",
    status: 302,
    headers: { location: target },
  });
  await world.untilStatus(await queue({ url, kind: "document", guessed: true }), "sent");
  expect(onPhone()[0]?.photo).toHaveLength(3);
});

const refusals = [
  { name: "nothing there", path: "/gone.jpg", kind: "image", code: "media_not_found" },
  {
    name: "a page instead of a picture",
    path: "/page.jpg",
    file: { bytes: Buffer.from("<html>"), mime: "text/html" },
    kind: "image",
    code: "media_wrong_type",
  },
  {
    name: "too large by its own word",
    path: "/large.jpg",
    file: { bytes: Buffer.alloc(10 * 1024 * 1024 + 1, 1), mime: "image/jpeg" },
    kind: "image",
    code: "media_too_large",
  },
  {
    name: "too large without a word",
    path: "/endless.jpg",
    file: {
      bytes: Buffer.alloc(11 * 1024 * 1024, 1),
      mime: "image/jpeg",
      headers: { "transfer-encoding": "chunked" },
    },
    kind: "image",
    code: "media_too_large",
  },
  {
    name: "no picture inside",
    path: "/broken.jpg",
    file: { bytes: Buffer.from("not a jpeg"), mime: "application/octet-stream" },
    kind: "image",
    code: "media_refused",
  },
] as const;

test.each(refusals)("$name: the message fails with a reason", async (row) => {
  await world.start(telegram);
  const url = "file" in row ? web.serve(row.path, row.file) : web.url + row.path;
  const failed = await world.untilStatus(await queue({ url, kind: row.kind }), "failed");
  expect(failed).toMatchObject({ final: true, reason: { code: row.code } });
  expect(onPhone()).toEqual([]);
});

test.each([
  "https://169.254.169.254/latest/meta-data/a.jpg",
  "https://10.0.0.1/a.jpg",
  "https://[::1]/a.jpg",
  "http://example.com/a.jpg",
])("in production %s is refused, and nobody is asked", async (url) => {
  telegram.faults.add({
    kind: "error",
    status: 400,
    description: "Bad Request: failed to get HTTP URL content",
    method: "sendPhoto",
  });
  await world.start(telegram, { environment: "production" });
  const failed = await world.untilStatus(await queue({ url, kind: "image" }), "failed");
  expect(failed).toMatchObject({ reason: { code: "media_address_refused" } });
});

test("in production an address of this machine is refused", async () => {
  const inner = web.serve("/secret.jpg", { bytes: jpeg, mime: "image/jpeg" });
  await world.start(telegram, { environment: "production" });
  web.hideFrom(/^(?!Thikaa)/);
  const failed = await world.untilStatus(await queue({ url: inner, kind: "image" }), "failed");
  expect(failed).toMatchObject({ reason: { code: "media_address_refused" } });
  expect(web.visits.filter(({ agent }) => ours.test(agent))).toEqual([]);
});

test("a server that is busy is asked again, and nothing is sent twice", async () => {
  await world.start(telegram);
  const file = { bytes: jpeg, mime: "image/jpeg" };
  const url = web.serve("/a.jpg", { ...file, status: 503 });
  const id = await queue({ url, kind: "image" });
  await waitFor(() => web.visits.some(({ agent }) => ours.test(agent)), { what: "our own visit" });
  web.serve("/a.jpg", file);
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: false });
  expect(onPhone()).toHaveLength(1);
});

test("an upload that Telegram breaks off is told by how far it came", async () => {
  await world.start(telegram);
  const url = web.serve("/a", { bytes: jpeg, mime: "image/jpeg" });
  telegram.faults.add({ kind: "reset_after_accept", method: "sendPhoto" });
  const id = await queue({ url, kind: "document", guessed: true });
  // It was whole, so it may have been taken: the second one is flagged.
  expect(await world.untilStatus(id, "sent")).toMatchObject({ possible_duplicate: true });
  expect(must(onPhone()[1]).photo).toHaveLength(3);
});
