// Downloads: streamed, capped, redirects followed and each one checked.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDownloader, DownloadTooLargeError } from "./download.ts";
import type { Download, Downloader } from "./download.ts";
import { EgressError } from "./errors.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer;
let url: string;
let visits: string[];
let closing: (() => Promise<unknown> | void)[];
beforeEach(async () => {
  visits = [];
  const server = createServer((request, response) => {
    visits.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing = [() => server.close(), () => server.closeAllConnections()];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

const relaxed = { allowLoopback: true, allowHttp: true, allowAnyPort: true };
function downloader(config = {}): Downloader {
  const made = createDownloader({ ...relaxed, ...config });
  closing.push(() => made.close());
  return made;
}
const limits = { totalTimeoutMs: 5_000, stallTimeoutMs: 2_000 };

async function bytesOf(download: Download, maxBytes = 1_000_000): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of download.read(maxBytes)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

test("a file comes with what its server says of it", async () => {
  answer = (_request, response) =>
    response
      .writeHead(200, {
        "content-type": "Image/JPEG; q=1",
        "content-length": 5,
        "content-disposition":
          "inline; filename=\"a.jpg\"; filename*=UTF-8''%D8%B5%D9%88%D8%B1%D8%A9.jpg",
      })
      .end("bytes");
  const download = await downloader().open({ url: `${url}/x`, ...limits });
  expect(download).toMatchObject({ status: 200, mime: "image/jpeg", size: 5, name: "صورة.jpg" });
  expect((await bytesOf(download)).toString()).toBe("bytes");
});

test("without a name of its own it is called by the last step of its address", async () => {
  answer = (_request, response) => response.end("x");
  const download = await downloader().open({ url: `${url}/a/%D8%A3.pdf?x=1`, ...limits });
  expect(download).toMatchObject({ name: "أ.pdf", mime: null });
  download.discard();
});

test("redirects are followed, five of them and no more", async () => {
  answer = (request, response) => {
    const hop = Number(request.url?.slice(1));
    if (hop === 0) return void response.end("there");
    response.writeHead(302, { location: `/${hop - 1}` }).end();
  };
  const door = downloader();
  expect((await bytesOf(await door.open({ url: `${url}/5`, ...limits }))).toString()).toBe("there");
  const error = await failureOf(door.open({ url: `${url}/6`, ...limits }));
  expect(error).toMatchObject({ code: "bad_response" });
});

test("a redirect to an address that may not be called is refused before it is called", async () => {
  for (const location of [
    "http://10.0.0.1/",
    "http://169.254.169.254/meta",
    "ftp://x/",
    "file:///etc/passwd",
  ]) {
    answer = (_request, response) => response.writeHead(301, { location }).end();
    const error = await failureOf(downloader().open({ url, ...limits }));
    expect(error).toBeInstanceOf(EgressError);
    expect(["blocked_address", "invalid_url"]).toContain((error as EgressError).code);
  }
});

test("a name that points into this machine is refused where loopback is", async () => {
  const door = downloader({
    allowLoopback: false,
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  });
  const { port } = new URL(url);
  const error = await failureOf(door.open({ url: `http://files.example.com:${port}/`, ...limits }));
  expect(error).toMatchObject({ code: "blocked_address" });
  expect(visits).toEqual([]);
});

test("the first byte over the limit ends it", async () => {
  answer = (_request, response) => {
    response.write("12345");
    response.write("67890");
  };
  const download = await downloader().open({ url, ...limits });
  expect(await failureOf(bytesOf(download, 9))).toBeInstanceOf(DownloadTooLargeError);
});

test("a server that stalls, before its head or in the middle, is given up in time", async () => {
  const impatient = { totalTimeoutMs: 5_000, stallTimeoutMs: 200 };
  answer = () => {};
  const head = await failureOf(downloader().open({ url, ...impatient }));
  expect(head).toMatchObject({ code: "timeout" });
  answer = (_request, response) => void response.write("half");
  const download = await downloader().open({ url, ...impatient });
  expect(await failureOf(bytesOf(download))).toMatchObject({ code: "timeout" });
});

test("a server that only trickles is given up at the end of its time", async () => {
  answer = (_request, response) => {
    const timer = setInterval(() => response.write("."), 50);
    response.on("close", () => clearInterval(timer));
  };
  const download = await downloader().open({ url, totalTimeoutMs: 400, stallTimeoutMs: 200 });
  expect(await failureOf(bytesOf(download))).toMatchObject({ code: "timeout" });
});

test("a body that breaks off fails, and whoever asked can give it up", async () => {
  answer = (_request, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("part", () => response.socket?.destroy());
  };
  const broken = await downloader().open({ url, ...limits });
  expect(await failureOf(bytesOf(broken))).toBeInstanceOf(EgressError);
  answer = (_request, response) => void response.write("part");
  const leave = new AbortController();
  const open = await downloader().open({ url, ...limits, signal: leave.signal });
  const reading = failureOf(bytesOf(open));
  leave.abort();
  expect(await reading).toMatchObject({ code: "aborted" });
});
