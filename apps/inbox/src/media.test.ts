// Files of received messages: in the event when they are here in time, told by `message.updated` when they are not.
import { overdueMediaFetches, settleMedia } from "@thikaa/db";
import type { MediaResult } from "@thikaa/db";
import { fromWireId, mediaReasonOf, newId } from "@thikaa/schema";
import type { InboundMedia, StoreEvent } from "@thikaa/schema";
import { waitFor } from "@thikaa/testkit";
import { MediaLinks } from "@thikaa/vault";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, said } from "./fixtures/house.ts";
import type { TestConnection } from "./fixtures/house.ts";

let house: House;
beforeAll(async () => {
  house = await House.open("inbox_media");
  const inbox = await house.inbox();
  await waitFor(() => inbox.ready(), { what: "the inbox" });
});
afterAll(() => house.close());

const photo: InboundMedia = {
  reference: "AgAC",
  type: "image",
  mime: "image/jpeg",
  size: 4,
  name: "صورة.jpg",
};
const kept: MediaResult = {
  status: "ready",
  blobKey: newId(),
  size: 5,
  sha256: "a".repeat(64),
  mime: null,
  name: null,
};

/** A message with files comes in; gives their ids, in order. */
async function receive(
  connection: TestConnection,
  files: readonly InboundMedia[],
): Promise<string[]> {
  const message = { ...said("700000001", "انظر"), type: "image" as const, media: [...files] };
  await house.receive(connection, { key: newId(), thread: "700000001", converted: message });
  const { rows } = await house.database.query<{ id: string }>({
    text: "SELECT id FROM media WHERE connection_id = $1 AND message_id IS NULL ORDER BY item_id, n",
    values: [connection.id],
  });
  return rows.map(({ id }) => id);
}

async function settle(connection: TestConnection, id: string | undefined, result: MediaResult) {
  const { storeId } = connection;
  // As the claim of a fetch does.
  if (result.status === "ready")
    await house.database.query({
      text: "INSERT INTO unsettled_blobs (store_id, blob_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      values: [storeId, result.blobKey],
    });
  return settleMedia(house.database, { storeId, id: id ?? "" }, result);
}

function untilEvents(connection: TestConnection, count: number): Promise<StoreEvent[]> {
  return waitFor(
    async () => {
      const events = await house.events(connection);
      return events.length >= count && events;
    },
    { what: `${count} events`, deadlineMs: 20_000 },
  );
}

/** Nobody waits ten seconds here: the items' time is over now. */
async function endWaiting(connection: TestConnection): Promise<void> {
  await house.database.query({
    text: "UPDATE inbound_items SET due_at = now() WHERE connection_id = $1",
    values: [connection.id],
  });
}

test("a message waits for its files, and its event has links that open them", async () => {
  const connection = await house.connection();
  const [first, second] = await receive(connection, [photo, { ...photo, name: "2.jpg" }]);
  expect(await settle(connection, second, kept)).toMatchObject({ settled: true });
  expect(await house.events(connection)).toEqual([]);
  await settle(connection, first, kept);
  const [event] = await untilEvents(connection, 1);
  if (event?.event !== "message.received") throw new Error("It is another event.");
  expect(event.data).toMatchObject({
    type: "image",
    media_type: "image",
    media: [
      { type: "image", mime: "image/jpeg", size: 5, name: "صورة.jpg", status: "ready" },
      { name: "2.jpg", status: "ready" },
    ],
  });
  expect(event.data.media_url).toBe(event.data.media[0]?.url);
  expect(Object.keys(event.data.media[0] ?? {})).toEqual([
    "url",
    "type",
    "mime",
    "size",
    "name",
    "sha256",
    "status",
  ]);
  const url = new URL(event.data.media_url ?? "");
  const [, , id = ""] = url.pathname.split("/");
  const links = new MediaLinks(house.masterKey);
  expect(url.origin).toBe("https://house.example");
  expect(links.verify(fromWireId("media", id) ?? "", url.searchParams.get("sig") ?? "")).toEqual({
    mediaId: first,
    storeId: connection.storeId,
  });
});

test("a message whose file is late goes on without it, and is told of again when it comes", async () => {
  const connection = await house.connection();
  const [id] = await receive(connection, [photo]);
  await endWaiting(connection);
  const [received] = await untilEvents(connection, 1);
  expect(received).toMatchObject({
    event: "message.received",
    data: {
      media_url: null,
      media_type: "image",
      media: [{ url: null, size: 4, sha256: null, status: "pending" }],
    },
  });
  expect(await settle(connection, id, kept)).toMatchObject({ settled: true });
  const [, updated] = await untilEvents(connection, 2);
  const told = received?.event === "message.received" ? received.data : null;
  expect(updated).toMatchObject({
    event: "message.updated",
    sequence: 2,
    data: {
      message_id: told?.message_id,
      from: "700000001",
      to: told?.to,
      type: "image",
      media_url: expect.stringContaining("https://house.example/media/med_"),
      media: [{ size: 5, status: "ready", sha256: "a".repeat(64) }],
      provider_message_id: "انظر",
    },
  });
});

test("a late file that can't be had is told with its reason; settled again, nothing is told", async () => {
  const connection = await house.connection();
  const [id] = await receive(connection, [photo]);
  await endWaiting(connection);
  await untilEvents(connection, 1);
  const reason = mediaReasonOf("media_expired");
  await settle(connection, id, { status: "failed", reason });
  expect(await settle(connection, id, kept)).toEqual({ settled: false, shard: null });
  const [, updated] = await untilEvents(connection, 2);
  expect(updated).toMatchObject({
    event: "message.updated",
    data: { media_url: null, media: [{ url: null, status: "failed", reason }] },
  });
  expect(await house.events(connection)).toHaveLength(2);
});

test("what a person writes after a photo stays behind it", async () => {
  const connection = await house.connection();
  const [id] = await receive(connection, [photo]);
  const later = said("700000001", "بعدها");
  await house.receive(connection, { key: "later", thread: "700000001", converted: later });
  await settle(connection, id, kept);
  const events = await untilEvents(connection, 2);
  expect(events.map(({ data }) => ("message" in data ? data.message : null))).toEqual([
    "انظر",
    "بعدها",
  ]);
});

test("the same message received twice has its files once", async () => {
  const connection = await house.connection();
  const converted = { ...said("700000001", "x"), type: "image" as const, media: [photo] };
  const item = { key: "same", thread: "700000001", converted };
  expect([await house.receive(connection, item), await house.receive(connection, item)]).toEqual([
    true,
    false,
  ]);
  const { rowCount } = await house.database.query({
    text: "SELECT 1 FROM media_fetches WHERE connection_id = $1",
    values: [connection.id],
  });
  expect(rowCount).toBe(1);
});

test("a file that nobody could fetch for a day is given up", async () => {
  const connection = await house.connection();
  const [id] = await receive(connection, [photo]);
  await endWaiting(connection);
  await untilEvents(connection, 1);
  await house.database.query({
    text: "UPDATE media_fetches SET created_at = now() - interval '25 hours' WHERE media_id = $1",
    values: [id],
  });
  const [, updated] = await untilEvents(connection, 2);
  expect(updated).toMatchObject({ data: { media: [{ status: "failed" }] } });
  expect(await overdueMediaFetches(house.database, 24, 10)).toEqual([]);
});
