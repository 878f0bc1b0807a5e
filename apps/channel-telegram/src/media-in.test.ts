// Customers' files through the running app: fetched from Telegram into the media store, whatever stands in the way.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TelegramStandIn } from "@thikaa/stand-ins";
import { waitFor } from "@thikaa/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jpeg, sha256 } from "./fixtures/files.ts";
import { addBot, must, World, zainab } from "./fixtures/world.ts";

let world: World;
let telegram: TelegramStandIn;
let bot: { id: number; token: string };
let connection: { id: string; storeId: string };
beforeEach(async () => {
  world = await World.create();
  telegram = await world.standIn();
  bot = addBot(telegram);
  connection = await world.connect(bot.token);
});
afterEach(() => world.close());

interface MediaRow {
  readonly [column: string]: unknown;
  readonly status: string;
  readonly blob_key: string;
}

/** The files of the connection, in the order in which they came. */
async function media(): Promise<MediaRow[]> {
  const { rows } = await world.database.query<MediaRow>({
    text: "SELECT * FROM media WHERE connection_id = $1 ORDER BY item_id, n",
    values: [connection.id],
  });
  return rows;
}

function untilSettled(count: number, deadlineMs = 20_000): Promise<MediaRow[]> {
  return waitFor(
    async () => {
      const rows = await media();
      const settled = rows.filter(({ status }) => status !== "pending");
      return settled.length === count && rows;
    },
    { what: `${count} files to be settled`, deadlineMs },
  );
}

async function bytesOf(row: MediaRow | undefined): Promise<Buffer> {
  const folder = fileURLToPath(await world.mediaStoreUrl());
  const key = must(row).blob_key;
  const names = await listFiles(folder);
  return readFile(must(names.find((name) => name.endsWith(key))));
}

async function listFiles(folder: string): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const sends = (file: {
  kind: "photo" | "document" | "video" | "voice" | "audio" | "sticker";
  bytes: Buffer;
  name?: string;
}) => telegram.personSendsFile({ personId: zainab.id, botId: bot.id, ...file });

test("files of every kind are kept byte for byte, with their names, types and digests", async () => {
  await world.start(telegram);
  const video = randomBytes(20 * 1024 * 1024);
  const pdf = Buffer.from("%PDF-1.7 …");
  const voice = Buffer.from("OggS voice");
  sends({ kind: "photo", bytes: jpeg });
  sends({ kind: "document", bytes: pdf, name: "فاتورة شهر تشرين.pdf" });
  sends({ kind: "video", bytes: video, name: "clip.mp4" });
  sends({ kind: "voice", bytes: voice });
  const rows = await untilSettled(4);
  expect(rows).toMatchObject([
    { status: "ready", kind: "image", mime: "image/jpeg", sha256: sha256(jpeg) },
    { status: "ready", kind: "document", mime: "application/pdf", name: "فاتورة شهر تشرين.pdf" },
    { status: "ready", kind: "video", size: video.length, sha256: sha256(video) },
    { status: "ready", kind: "voice", mime: "audio/ogg", size: voice.length },
  ]);
  expect((await bytesOf(rows[0])).equals(jpeg)).toBe(true);
  expect((await bytesOf(rows[1])).equals(pdf)).toBe(true);
  expect((await bytesOf(rows[2])).equals(video)).toBe(true);
});

test("an item waits for its file, and is due as soon as it is here", async () => {
  telegram.faults.add({ kind: "delay", delayMs: 2_000, method: "file" });
  await world.start(telegram);
  sends({ kind: "photo", bytes: jpeg });
  const waits = async () => {
    const { rows } = await world.database.query<{ waits: boolean }>({
      text: "SELECT due_at > now() AS waits FROM inbound_items WHERE converted ->> 'type' = 'image'",
    });
    return rows[0]?.waits;
  };
  await waitFor(async () => (await waits()) === true, { what: "the item to wait" });
  await untilSettled(1);
  expect(await waits()).toBe(false);
});

test("a download that breaks off, a 429 and a 5xx are tried again", async () => {
  telegram.faults.add({ kind: "truncated", method: "file" });
  telegram.faults.add({ kind: "throttled", retryAfter: 1, method: "getFile" });
  await world.start(telegram);
  sends({ kind: "photo", bytes: jpeg });
  const rows = await untilSettled(1);
  expect(rows).toMatchObject([{ status: "ready", sha256: sha256(jpeg) }]);
  const { rows: left } = await world.database.query({ text: "SELECT 1 FROM media_fetches" });
  expect(left).toEqual([]);
});

test("a file that Telegram does not give out fails with its reason, at once", async () => {
  await world.start(telegram);
  sends({ kind: "video", bytes: Buffer.alloc(20 * 1024 * 1024 + 1) });
  expect(await untilSettled(1)).toMatchObject(
    [{ status: "failed", reason: { code: "media_too_large", message: /20 MB/ } }].map((row) => ({
      ...row,
      reason: { code: row.reason.code },
    })),
  );
});

test("a media store that is away fails no file", async () => {
  // A place where nothing listens.
  await world.start(telegram, { mediaStoreUrl: "s3://key:secret@127.0.0.1:9/media?tls=0" });
  sends({ kind: "photo", bytes: jpeg });
  await waitFor(() => telegram.record.calls({ method: "file" }).length > 0, {
    what: "a download to begin",
  });
  const { rows } = await waitFor(
    async () => {
      const found = await world.database.query<{ failures: number }>({
        text: "SELECT failures FROM media_fetches WHERE epoch IS NULL",
      });
      return found.rowCount === 1 && found;
    },
    { what: "the fetch to be given back", deadlineMs: 20_000 },
  );
  expect(rows).toEqual([{ failures: 0 }]);
  expect(await media()).toMatchObject([{ status: "pending" }]);
});

test("killed in the middle of a download, the next owner fetches the file", async () => {
  telegram.faults.add({ kind: "hang", accepted: true, method: "file" });
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--conditions=source",
      join(import.meta.dirname, "main.ts"),
    ],
    { env: await world.environment(telegram), stdio: "ignore" },
  );
  world.closeLater(async () => void child.kill("SIGKILL"));
  sends({ kind: "photo", bytes: jpeg });
  await telegram.record.until(
    () => telegram.record.calls({ method: "file" }).some(({ accepted }) => accepted),
    25_000,
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  await world.endLeases();
  expect(await media()).toMatchObject([{ status: "pending" }]);
  await world.start(telegram);
  const rows = await untilSettled(1, 30_000);
  expect(rows).toMatchObject([{ status: "ready", sha256: sha256(jpeg) }]);
  expect((await bytesOf(rows[0])).equals(jpeg)).toBe(true);
}, 70_000);

test("stopped in the middle of a download, the file is given back at once", async () => {
  telegram.faults.add({ kind: "hang", accepted: true, method: "file" });
  const first = await world.start(telegram);
  sends({ kind: "photo", bytes: jpeg });
  await telegram.record.until(() =>
    telegram.record.calls({ method: "file" }).some(({ accepted }) => accepted),
  );
  await first.stop();
  const { rows } = await world.database.query({
    text: "SELECT epoch, failures FROM media_fetches",
  });
  expect(rows).toEqual([{ epoch: null, failures: 0 }]);
  await world.start(telegram);
  expect(await untilSettled(1)).toMatchObject([{ status: "ready" }]);
});
