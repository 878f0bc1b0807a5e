// Media over real sockets, by both drivers: byte for byte, by ranges, to whom it belongs, and nobody else.
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { keepMedia } from "@thikaa/db";
import { newId, toWireId } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import { MediaLinks, newMasterKey } from "@thikaa/vault";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drivers, openShelf } from "./fixtures/shelf.ts";
import type { TestFile, TestShelf } from "./fixtures/shelf.ts";

const guards = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "referrer-policy": "no-referrer",
};

describe.each(drivers)("by %s", (driver) => {
  let shelf: TestShelf;
  let digits: TestFile;
  beforeAll(async () => {
    shelf = await openShelf(driver);
    digits = await shelf.add({
      bytes: Buffer.from("0123456789"),
      name: "digits.txt",
      mime: "text/plain",
    });
  });
  afterAll(() => shelf.close());

  const get = (url: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(url, { method, headers });
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
  const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

  test("a photo, a PDF with an Arabic name and a 20 MB video arrive byte for byte", async () => {
    for (const [name, mime, size] of [
      ["IMG_1.jpg", "image/jpeg", 84_211],
      ["فاتورة رقم ١.pdf", "application/pdf", 300_000],
      ["video.mp4", "video/mp4", 20_000_000],
    ] as const) {
      const bytes = randomBytes(size);
      const answer = await get((await shelf.add({ bytes, name, mime })).url);
      expect(answer.status).toBe(200);
      expect((await bytesOf(answer)).equals(bytes)).toBe(true);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        ...guards,
        "content-type": mime,
        "content-length": String(size),
        "content-disposition": expect.stringContaining(
          `filename*=UTF-8''${encodeURIComponent(name)}`,
        ),
        etag: `"${sha256(bytes)}"`,
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=3600",
        "x-request-id": expect.stringMatching(/^req_/),
      });
    }
  });

  test("a file without a name, a type or a byte is a file", async () => {
    const { url, path } = await shelf.add({ bytes: Buffer.alloc(0), name: null });
    expect(path).toContain("/file?sig=");
    const answer = await get(url);
    expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, 0]);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    const range = await get(url, { Range: "bytes=0-" });
    expect([range.status, range.headers.get("content-range")]).toEqual([416, "bytes */0"]);
  });

  test.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=0-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=9-9", 206, "9", "bytes 9-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    ["bytes=4-2", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ])("the range %s", async (range, status, body, contentRange) => {
    const answer = await get(digits.url, { Range: range });
    expect([answer.status, await answer.text(), answer.headers.get("content-range")]).toEqual([
      status,
      body,
      contentRange,
    ]);
    expect(answer.headers.get("content-length")).toBe(String(body.length));
    expect(Object.fromEntries(answer.headers)).toMatchObject(guards);
  });

  test("a range holds only for the file it was begun on", async () => {
    const tag = `"${sha256("0123456789")}"`;
    const same = await get(digits.url, { Range: "bytes=1-2", "If-Range": tag });
    expect([same.status, await same.text()]).toEqual([206, "12"]);
    const other = await get(digits.url, { Range: "bytes=1-2", "If-Range": '"other"' });
    expect([other.status, await other.text()]).toEqual([200, "0123456789"]);
  });

  test("a reader that has it already is told so, without a byte read", async () => {
    const opened = shelf.opened();
    const answer = await get(digits.url, { "If-None-Match": `W/"${sha256("0123456789")}"` });
    expect([answer.status, await answer.text()]).toEqual([304, ""]);
    expect(shelf.opened()).toBe(opened);
    expect((await get(digits.url, { "If-None-Match": '"other"' })).status).toBe(200);
  });

  test("HEAD tells the same headers and no bytes, and nothing of a range", async () => {
    const opened = shelf.opened();
    const head = await get(digits.url, { Range: "bytes=1-2" }, "HEAD");
    const whole = await get(digits.url);
    const named = ({ headers }: Response) =>
      ["content-type", "content-length", "content-disposition", "etag"].map((name) =>
        headers.get(name),
      );
    expect([head.status, await head.text(), named(head)]).toEqual([200, "", named(whole)]);
    expect(shelf.opened()).toBe(opened + 1);
  });

  test("any other method is refused with the ones there are", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await get(digits.url, {}, method);
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });

  test("a link that was altered, another store's, or of another house is 404, before any byte is looked for", async () => {
    const other = await shelf.house.store();
    const [wireId, signature] = [
      toWireId("media", digits.id),
      shelf.links.sign({ mediaId: digits.id, storeId: shelf.store.id }),
    ];
    const opened = shelf.opened();
    const strangers = new MediaLinks(newMasterKey());
    const foreign = shelf.links.sign({ mediaId: digits.id, storeId: other.id });
    const paths = [
      digits.path.slice(0, -1),
      `${digits.path}A`,
      digits.path.replace("digits.txt", "digits.html"),
      digits.path.replace("/digits.txt", ""),
      digits.path.replace("digits.txt", "%ff"),
      digits.path.replace("/digits.txt", "/x/digits.txt"),
      digits.path.replace(wireId, toWireId("media", newId())),
      digits.path.replace(wireId, wireId.toLowerCase()),
      digits.path.replace(wireId, digits.id),
      digits.path.replace(signature, foreign),
      digits.path.replace(signature, ""),
      `/media/${wireId}/digits.txt`,
      strangers.path({ mediaId: digits.id, storeId: shelf.store.id, name: "digits.txt" }),
      shelf.links.path(
        { mediaId: digits.id, storeId: shelf.store.id, name: "digits.txt" },
        new Date(0),
      ),
      "/media",
      "/media/",
      "/media/../media",
    ];
    for (const path of paths) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await get(shelf.url + path, {}, method);
        expect([path, answer.status]).toEqual([path, 404]);
        expect(Object.fromEntries(answer.headers)).toMatchObject(guards);
      }
    }
    expect((await get(digits.url)).status).toBe(200);
    expect(shelf.opened()).toBe(opened + 1);
  });

  test("media that is not there yet, or whose bytes are gone, is 404", async () => {
    const { url, id, blobKey } = await shelf.add({ bytes: Buffer.from("x") });
    await shelf.blobs.delete(blobKey);
    expect([(await get(url)).status, (await get(url, {}, "HEAD")).status]).toEqual([404, 404]);
    await shelf.house.database.query({
      text: "UPDATE media SET status = 'pending' WHERE id = $1",
      values: [id],
    });
    expect((await get(url)).status).toBe(404);
    const kept = {
      blobKey: digits.blobKey,
      size: 10,
      sha256: sha256("0123456789"),
      mime: null,
      name: null,
    };
    await keepMedia(shelf.house.database, { storeId: shelf.store.id, id, ...kept });
    expect(await (await get(url)).text()).toBe("0123456789");
  });

  test("readers that go away, in the middle or before the first byte, leave nothing open", async () => {
    const { path } = await shelf.add({ bytes: randomBytes(20_000_000) });
    const opened = shelf.opened();
    const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    for (let reader = 0; reader < 8; reader++) {
      const socket = connect(shelf.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(request);
      if (reader % 2 === 0) socket.once("data", () => socket.resetAndDestroy());
      else socket.once("ready", () => setImmediate(() => socket.destroy()));
    }
    await waitFor(() => shelf.opened() >= opened + 4, { what: "half of them to be served" });
    await waitFor(() => shelf.open() === 0, { what: "every file to be closed" });
    if (shelf.standIn !== null)
      await waitFor(() => shelf.standIn?.answering === 0, { what: "the store's answers to end" });
  });

  test("a reader that takes nothing is given up, and its file closed", async () => {
    const { path } = await shelf.add({ bytes: randomBytes(20_000_000) });
    const socket = connect(shelf.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await waitFor(() => shelf.open() === 1, { what: "the file to be opened" });
    await waitFor(() => shelf.open() === 0, { what: "the reader to be given up" });
    socket.destroy();
  });
});
