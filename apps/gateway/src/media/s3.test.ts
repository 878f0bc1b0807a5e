// Media in an S3 store that fails, or is large: said as it is, never half a file that looks whole, never all of it in memory.
import { createHash } from "node:crypto";
import { get as httpGet } from "node:http";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { waitFor } from "@thikaa/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openShelf } from "./fixtures/shelf.ts";
import type { TestShelf } from "./fixtures/shelf.ts";

let shelf: TestShelf;
beforeAll(async () => {
  shelf = await openShelf("s3");
});
afterEach(() => shelf.standIn?.faults.clear());
afterAll(() => shelf.close());

const megabyte = 1_000_000;

test("a store that is overloaded is 503 with when to come back, and the next try succeeds", async () => {
  const { url } = await shelf.add({ bytes: Buffer.from("x") });
  shelf.standIn?.faults.add({ kind: "server_error", times: "always" });
  for (const method of ["GET", "HEAD"]) {
    const answer = await fetch(url, { method });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    if (method === "GET")
      expect(await answer.json()).toMatchObject({ ok: false, error: "unavailable" });
  }
  shelf.standIn?.faults.clear();
  expect(await (await fetch(url)).text()).toBe("x");
});

test("one that breaks off in the middle breaks the answer: it never looks whole", async () => {
  const { url } = await shelf.add({ bytes: Buffer.alloc(5 * megabyte) });
  shelf.standIn?.faults.add({ kind: "truncated", operation: "GetObject" });
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  await expect(answer.arrayBuffer()).rejects.toThrow();
  expect(shelf.open()).toBe(0);
});

test("gateways that share no folder serve the same link, after a restart too", async () => {
  const bytes = Buffer.alloc(3 * megabyte, "صورة");
  const { path } = await shelf.add({ bytes, name: "صورة.png" });
  const { mediaStoreUrl } = shelf;
  for (let start = 0; start < 2; start++) {
    const gateways = await Promise.all([1, 2].map(() => shelf.house.gateway({ mediaStoreUrl })));
    for (const gateway of gateways) {
      const answer = await fetch(gateway.url + path);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
      await gateway.stop();
    }
  }
  const without = await shelf.house.gateway();
  expect((await fetch(without.url + path)).status).toBe(404);
});

test(
  "200 MB go up and down with little memory, and a reader that stops holds the store back",
  { timeout: 120_000 },
  async () => {
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const sent = createHash("sha256");
    const source = function* (): Generator<Buffer> {
      for (let piece = 0; piece < 200; piece++) {
        const bytes = Buffer.alloc(megabyte, `piece ${piece} `);
        sent.update(bytes);
        yield bytes;
      }
    };
    const { url } = await shelf.add({ bytes: Readable.from(source()) });
    const answer = await new Promise<IncomingMessage>((resolve) => httpGet(url, resolve));
    const received = createHash("sha256");
    let size = 0;
    for await (const chunk of answer) {
      received.update(chunk as Buffer);
      if (size < 50 * megabyte && size + (chunk as Buffer).length >= 50 * megabyte)
        // Long enough that whoever would run ahead has run ahead; shorter than the reader's own limit.
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      size += (chunk as Buffer).length;
    }
    clearInterval(watch);
    expect([size, received.digest("hex")]).toEqual([200 * megabyte, sent.digest("hex")]);
    expect((most - before) / megabyte).toBeLessThan(120);
    await waitFor(() => shelf.open() === 0, { what: "the blob to be closed" });
  },
);
